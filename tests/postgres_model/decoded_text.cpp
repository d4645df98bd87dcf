#include "tests/postgres_model/decoded_text.hpp"

#include "core/postgres/decoder.hpp"

namespace holdfast::test {

using namespace holdfast::postgres;  // NOLINT: this file prints its values

namespace {

std::string to_text(const Tuple& tuple) {
  std::string text = "(";
  for (const auto& cell : tuple)
    text += (text.size() > 1 ? "," : "") + (cell ? "'" + std::string(*cell) + "'" : "NULL");
  return text + ")";
}

std::string to_text(const StreamRelation& relation) {
  std::string text = "relation " + relation.name.schema + "." + relation.name.table + " " +
                     std::string(1, relation.replica_identity);
  for (const StreamRelation::Column& column : relation.columns)
    text += " " + column.name + (column.part_of_key ? "*:" : ":") +
            std::to_string(column.type.value) + "/" + std::to_string(column.type_modifier);
  return text;
}

std::string to_text(const Change& change) {
  const std::string name = change.relation->name.schema + "." + change.relation->name.table;
  const std::string op = " op " + std::to_string(change.op);
  switch (change.kind) {
    case ChangeKind::insert:
      return "insert " + name + " -> " + to_text(change.new_tuple) + op;
    case ChangeKind::update:
      return "update " + name + " " + to_text(change.old_tuple) + " -> " +
             to_text(change.new_tuple) + op;
    case ChangeKind::erase:
      return "erase " + name + " " + to_text(change.old_tuple) + op;
    case ChangeKind::truncate:
      return "truncate " + name + op;
    case ChangeKind::partial:
      return "partial " + name + op;
  }
  return "?";
}

}  // namespace

std::vector<std::string> decode(const std::vector<std::string>& copy_data) {
  std::vector<std::string> lines;
  StreamDecoder decoder;
  for (const std::string& payload : copy_data) {
    const auto event = decoder.feed(payload);
    if (!event.ok()) {
      lines.push_back("error: " + event.error().message);
      return lines;
    }
    if (!*event) continue;
    if (const auto* changed = std::get_if<RelationChanged>(&**event))
      lines.push_back(to_text(*changed->relation));
    if (const auto* transaction = std::get_if<Transaction>(&**event)) {
      for (const Change& change : transaction->changes) lines.push_back(to_text(change));
      lines.emplace_back(transaction->ends ? "commit" : "fragment");
    }
  }
  return lines;
}

}  // namespace holdfast::test
