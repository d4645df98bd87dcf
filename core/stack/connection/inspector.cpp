#include "core/stack/connection/inspector.hpp"

namespace holdfast::stack {

void Inspector::init() {
  relations_ =
      std::make_unique<runtime::OwnedTable<postgres::RelationName, postgres::RelationInfo>>(
          *this, tables::relations);
  definitions_ =
      std::make_unique<runtime::OwnedTable<std::string, std::shared_ptr<const shape::Definition>>>(
          *this, tables::definitions);
  // What the live shapes were defined against: a standby, or an engine without a connection, can
  // resolve requests for them.
  const auto shapes = runtime::TableRef(runtime(), tables::shape_meta).rows();
  if (!shapes.found()) return;
  for (const auto& [handle, meta] : shapes.value())
    shape::for_each_definition(*meta.definition, [&](const shape::Definition& each) {
      relations_->put(each.relation().name, each.relation());
    });
}

void Inspector::remember_relation(postgres::RelationInfo relation) {
  postgres::RelationName name = relation.name;
  relations_->put(std::move(name), std::move(relation));
}

void Inspector::forget_relation(postgres::RelationName name) {
  relations_->erase(name);
  const auto keys = keys_of_table_.find(name);
  if (keys == keys_of_table_.end()) return;
  for (const std::string& key : keys->second) definitions_->erase(key);
  keys_of_table_.erase(keys);
}

void Inspector::remember_definition(std::string request_key,
                                    std::shared_ptr<const shape::Definition> definition) {
  if (definitions_->size() >= k_definitions_max) {
    definitions_->clear();
    keys_of_table_.clear();
  }
  shape::for_each_definition(*definition, [&](const shape::Definition& each) {
    keys_of_table_[each.relation().name].insert(request_key);
  });
  definitions_->put(std::move(request_key), std::move(definition));
}

}  // namespace holdfast::stack
