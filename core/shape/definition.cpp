#include "core/shape/definition.hpp"

#include <algorithm>

#include "core/shape/layout.hpp"
#include "core/where/byte_stream.hpp"

namespace holdfast::shape {

/// What resolve and deserialize have in common: filling in a Definition.
struct DefinitionAccess {
  static void finish(Definition& definition);
  static void write(const Definition& definition, where::ByteWriter& out);
  static bool read(Definition& definition, where::ByteReader& in);
  static bool read_dependencies(Definition& definition, where::ByteReader& in);
};

namespace {

constexpr std::uint64_t k_version_with_dependencies = 3;
constexpr std::uint64_t k_version = 2;
constexpr std::uint64_t k_version_without_request = 1;

using Names = std::vector<std::string>;

std::string listed(const Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

/// Primary key columns in their order; none if the table has no primary key.
std::vector<std::uint16_t> primary_key(const postgres::RelationInfo& relation) {
  std::vector<std::uint16_t> key;
  for (std::size_t i = 0; i < relation.columns.size(); ++i)
    if (relation.columns[i].key_position > 0) key.push_back(static_cast<std::uint16_t>(i));
  std::sort(key.begin(), key.end(), [&](std::uint16_t a, std::uint16_t b) {
    return relation.columns[a].key_position < relation.columns[b].key_position;
  });
  return key;
}

std::vector<std::uint16_t> all_columns(const postgres::RelationInfo& relation) {
  std::vector<std::uint16_t> columns(relation.columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<std::uint16_t>(i);
  return columns;
}

Failure<DefinitionError> refuse(std::string field, std::string message) {
  return Failure{DefinitionError{std::move(field), std::move(message)}};
}

/// The column list of a request as indices in attnum order; the checks of where-clauses.md §4.2.
Result<std::vector<std::uint16_t>, DefinitionError> chosen_columns(
    const Names& columns, const postgres::RelationInfo& relation,
    const std::vector<std::uint16_t>& key) {
  Names missing;
  for (const std::uint16_t k : key)
    if (std::find(columns.begin(), columns.end(), relation.columns[k].name) == columns.end())
      missing.push_back(relation.columns[k].name);
  if (!missing.empty())
    return refuse("columns", "The list of columns must include all primary key columns, missing: " +
                                 listed(missing));
  std::vector<std::uint16_t> chosen;
  Names unknown;
  Names generated;
  for (const std::string& name : columns) {
    const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                    [&](const postgres::ColumnInfo& c) { return c.name == name; });
    const auto index = static_cast<std::uint16_t>(found - relation.columns.begin());
    if (found == relation.columns.end()) {
      unknown.push_back(name);
      continue;
    }
    // Upstream takes a second mention for a column that is not there (http-api.md §27, row 22).
    if (std::find(chosen.begin(), chosen.end(), index) != chosen.end()) continue;
    if (found->generated) generated.push_back(name);
    chosen.push_back(index);
  }
  if (!unknown.empty())
    return refuse("columns",
                  "The following columns are not found on the table: " + listed(unknown));
  if (!generated.empty())
    return refuse("columns",
                  "The following columns are generated and cannot be included in the shape: " +
                      listed(generated));
  if (chosen.empty()) return refuse("columns", "The list of columns must not be empty");
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Selected columns when the request lists none: all, unless one cannot be replicated.
Result<std::vector<std::uint16_t>, DefinitionError> every_column(
    const postgres::RelationInfo& relation) {
  Names generated;
  for (const postgres::ColumnInfo& column : relation.columns)
    if (column.generated) generated.push_back(column.name);
  if (!generated.empty())
    return refuse(
        "columns",
        "The following columns are generated and cannot be included in the shape: " +
            listed(generated) +
            ". You can exclude them from the shape by explicitly listing which columns to fetch in "
            "the 'columns' query param");
  return all_columns(relation);
}

}  // namespace

std::string DefinitionRequest::key() const {
  std::string key;
  // Lengths keep fields apart.
  const auto add = [&](std::string_view part) {
    key.append(std::to_string(part.size())).append(":").append(part);
  };
  add(table.schema);
  add(table.table);
  add(where);
  for (const auto& [number, value] : parameters) {
    add(std::to_string(number));
    add(value);
  }
  key.append(columns ? "c" : "*");
  if (columns)
    for (const std::string& column : *columns) add(column);
  key.push_back(replica == Replica::full ? 'f' : 'd');
  key.push_back(log_mode == LogMode::full ? 'f' : 'c');
  return key;
}

void DefinitionAccess::finish(Definition& definition) {
  const postgres::RelationInfo& relation = definition.relation_;
  definition.key_ = primary_key(relation);
  definition.has_primary_key_ = !definition.key_.empty();
  if (!definition.has_primary_key_) definition.key_ = all_columns(relation);
  definition.layout_ =
      std::make_shared<const Layout>(make_layout(relation, definition.selected_, definition.key_));
  // Identity by names, not by positions: what http-api.md §7 lists, nothing else.
  RollingHash hash;
  hash.add(relation.oid.value);
  hash.add(relation.name.schema);
  hash.add(relation.name.table);
  hash.add(definition.key_.size());
  for (const std::uint16_t k : definition.key_) hash.add(relation.columns[k].name);
  hash.add(definition.condition_ ? 1U : 0U);
  if (definition.condition_) hash.add(definition.condition_->canonical_sql());
  hash.add(definition.selects_all_ ? 1U : 0U);
  hash.add(definition.selected_.size());
  for (const LayoutCell& cell : definition.layout_->cells)
    hash.add(relation.columns[cell.column].name);
  hash.add(static_cast<std::uint64_t>(definition.replica_));
  hash.add(static_cast<std::uint64_t>(definition.log_mode_));
  for (const Dependency& dependency : definition.dependencies_) {
    hash.add(dependency.inner->identity().high);
    hash.add(dependency.inner->identity().low);
    for (const std::uint16_t column : dependency.link)
      hash.add(dependency.inner->relation().columns[column].name);
  }
  definition.identity_ = hash.value();
}

namespace {

/// The request for the shape behind a subquery: its link columns and what names its rows.
DefinitionRequest inner_request(const where::Subquery& subquery,
                                const postgres::RelationInfo& relation) {
  std::vector<std::uint16_t> key = primary_key(relation);
  if (key.empty()) key = all_columns(relation);
  Names columns;
  const auto add = [&](const std::string& name) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  };
  for (const std::string& name : subquery.link) add(name);
  for (const std::uint16_t column : key) add(relation.columns[column].name);
  // Sorted, so that subqueries that differ in the order of their columns share a shape.
  std::sort(columns.begin(), columns.end());
  return {.table = subquery.table, .columns = std::move(columns), .where = subquery.where};
}

Result<Dependency, DefinitionError> resolve_dependency(const where::Subquery& subquery,
                                                       const where::Relations& relations) {
  const auto relation = std::find_if(
      relations.begin(), relations.end(),
      [&](const postgres::RelationInfo& known) { return known.name == subquery.table; });
  ASSERT(relation != relations.end(), "a subquery was compiled against its table");
  auto inner = Definition::resolve(inner_request(subquery, *relation), *relation, &relations);
  if (!inner) return inner.failure();
  Dependency made;
  for (const std::string& name : subquery.link)
    for (std::size_t i = 0; i < relation->columns.size(); ++i)
      if (relation->columns[i].name == name) made.link.push_back(static_cast<std::uint16_t>(i));
  made.inner = std::make_shared<const Definition>(std::move(*inner));
  return made;
}

}  // namespace

Result<Definition, DefinitionError> Definition::resolve(
    const DefinitionRequest& request, const postgres::RelationInfo& relation,
    const where::Relations* subquery_relations) {
  if (relation.columns.empty())
    return refuse("table", "Table " + quoted(request.table.schema) + "." +
                               quoted(request.table.table) +
                               " does not exist. If the table name contains capitals or special "
                               "characters you must quote it.");
  std::vector<std::uint16_t> key = primary_key(relation);
  if (key.empty()) key = all_columns(relation);
  auto selected =
      request.columns ? chosen_columns(*request.columns, relation, key) : every_column(relation);
  if (!selected) return selected.failure();
  Definition definition;
  definition.request_key_ = request.key();
  definition.relation_ = relation;
  definition.selected_ = std::move(*selected);
  definition.selects_all_ = !request.columns.has_value();
  definition.replica_ = request.replica;
  definition.log_mode_ = request.log_mode;
  if (!request.where.empty()) {
    auto condition =
        where::Condition::compile(request.where, request.parameters, relation, subquery_relations);
    if (!condition)
      return Failure{DefinitionError{condition.error().field, condition.error().message,
                                     condition.error().missing}};
    definition.condition_ = std::move(*condition);
    for (const where::Subquery& subquery : definition.condition_->subqueries()) {
      auto dependency = resolve_dependency(subquery, *subquery_relations);
      if (!dependency) return dependency.failure();
      definition.dependencies_.push_back(std::move(*dependency));
    }
  }
  DefinitionAccess::finish(definition);
  return definition;
}

void DefinitionAccess::write(const Definition& definition, where::ByteWriter& out) {
  out.text(definition.request_key_);
  const postgres::RelationInfo& relation = definition.relation_;
  out.number(relation.oid.value);
  out.text(relation.name.schema);
  out.text(relation.name.table);
  out.number(relation.replica_identity_full ? 1 : 0);
  out.number(relation.columns.size());
  for (const postgres::ColumnInfo& column : relation.columns) {
    out.text(column.name);
    out.number(column.type.value);
    out.text(column.type_name);
    out.number(static_cast<std::uint32_t>(column.type_modifier));
    out.number(column.dimensions);
    out.number((column.not_null ? 1U : 0U) | (column.generated ? 2U : 0U) | column.number * 4U);
    out.number(column.key_position);
  }
  out.number(definition.selected_.size());
  for (const std::uint16_t column : definition.selected_) out.number(column);
  out.number(definition.selects_all_ ? 1 : 0);
  out.number(static_cast<std::uint64_t>(definition.replica_));
  out.number(static_cast<std::uint64_t>(definition.log_mode_));
  out.text(definition.condition_ ? definition.condition_->serialize() : std::string());
  for (const Dependency& dependency : definition.dependencies_) {
    out.text(dependency.inner->serialize());
    for (const std::uint16_t column : dependency.link) out.number(column);
  }
}

/// As many as the condition has subqueries, each with that subquery's link columns.
bool DefinitionAccess::read_dependencies(Definition& definition, where::ByteReader& in) {
  for (const where::Subquery& subquery : definition.condition_->subqueries()) {
    auto inner = Definition::deserialize(in.text());
    if (!inner) return false;
    Dependency dependency;
    for (const std::string& name : subquery.link) {
      const auto& columns = inner->relation().columns;
      dependency.link.push_back(static_cast<std::uint16_t>(in.number_up_to(columns.size() - 1)));
      if (in.failed() || columns[dependency.link.back()].name != name) return false;
    }
    dependency.inner = std::make_shared<const Definition>(std::move(*inner));
    definition.dependencies_.push_back(std::move(dependency));
  }
  return true;
}

bool DefinitionAccess::read(Definition& definition, where::ByteReader& in) {
  postgres::RelationInfo& relation = definition.relation_;
  const auto word = [&in] { return static_cast<std::uint32_t>(in.number_up_to(0xffffffff)); };
  const auto half = [&in](std::uint64_t most) {
    return static_cast<std::uint16_t>(in.number_up_to(most));
  };
  relation.oid.value = word();
  relation.name.schema = in.text();
  relation.name.table = in.text();
  relation.replica_identity_full = in.number_up_to(1) == 1;
  relation.columns.resize(in.count());
  for (postgres::ColumnInfo& column : relation.columns) {
    column.name = in.text();
    column.type.value = word();
    column.type_name = in.text();
    column.type_modifier = static_cast<std::int32_t>(word());
    column.dimensions = half(0xffff);
    const std::uint64_t flags = in.number_up_to(4 * 0xffffULL + 3);
    column.not_null = (flags & 1U) != 0;
    column.generated = (flags & 2U) != 0;
    column.number = static_cast<std::uint16_t>(flags / 4);  // 0 in what was stored before it was
    column.key_position = half(0xffff);
  }
  if (relation.columns.empty() || relation.columns.size() > 0xffff) return false;
  definition.selected_.resize(in.count());
  for (std::uint16_t& column : definition.selected_) column = half(relation.columns.size() - 1);
  definition.selects_all_ = in.number_up_to(1) == 1;
  definition.replica_ = static_cast<Replica>(in.number_up_to(1));
  definition.log_mode_ = static_cast<LogMode>(in.number_up_to(1));
  const std::string_view condition = in.text();
  if (in.failed()) return false;
  if (condition.empty()) return in.finished();
  auto compiled = where::Condition::deserialize(condition);
  if (!compiled ||
      (!compiled->columns().empty() && compiled->columns().back() >= relation.columns.size()))
    return false;
  definition.condition_ = std::move(*compiled);
  return read_dependencies(definition, in) && in.finished();
}

std::string Definition::serialize() const {
  where::ByteWriter out;
  out.number(dependencies_.empty() ? k_version : k_version_with_dependencies);
  DefinitionAccess::write(*this, out);
  return out.take();
}

Result<Definition> Definition::deserialize(std::string_view bytes) {
  where::ByteReader in(bytes);
  const std::uint64_t version = in.number();
  if (version != k_version && version != k_version_without_request &&
      version != k_version_with_dependencies)
    return fail("a shape definition of an unknown version");
  Definition definition;
  if (version != k_version_without_request) definition.request_key_ = in.text();
  if (!DefinitionAccess::read(definition, in)) return fail("a shape definition is damaged");
  const std::vector<std::uint16_t>& selected = definition.selected_;
  const std::vector<std::uint16_t> key = primary_key(definition.relation_);
  const std::vector<std::uint16_t> needed = key.empty() ? all_columns(definition.relation_) : key;
  for (const std::uint16_t column : needed)
    if (std::find(selected.begin(), selected.end(), column) == selected.end())
      return fail("a shape definition lacks its key");
  DefinitionAccess::finish(definition);
  return definition;
}

const Hash128& Definition::identity() const {
  return identity_;
}
const std::string& Definition::request_key() const {
  return request_key_;
}
const postgres::RelationInfo& Definition::relation() const {
  return relation_;
}
const std::vector<std::uint16_t>& Definition::selected() const {
  return selected_;
}
const std::vector<std::uint16_t>& Definition::key() const {
  return key_;
}
bool Definition::selects_all() const {
  return selects_all_;
}
bool Definition::has_primary_key() const {
  return has_primary_key_;
}
const std::optional<where::Condition>& Definition::condition() const {
  return condition_;
}
Replica Definition::replica() const {
  return replica_;
}
LogMode Definition::log_mode() const {
  return log_mode_;
}

}  // namespace holdfast::shape
