// BlockingQuery::inspect: what the catalogue says of one table (postgres.md §19).
#include <charconv>

#include "core/postgres/query_text.hpp"
#include "core/production/libpq/blocking_query.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;
using postgres::ColumnInfo;
using postgres::RelationInfo;

namespace {

constexpr const char* k_relation =
    "SELECT c.relkind, c.relispartition, c.relpersistence = 'u',"
    " EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2";

/// One row a column. A type is an array if it is the array type of its element type: typelem alone
/// is also set for `name` and `point` (§19.1), and oidvector prints no array literal. Columns that
/// a primary key only INCLUDEs stand behind its own in indkey.
constexpr const char* k_column_fields =
    " c.oid, c.relreplident,"
    " a.attname, a.atttypid, coalesce(e.typname, t.typname), a.atttypmod,"
    " CASE WHEN e.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END,"
    " a.attnotnull, a.attgenerated <> '',"
    " coalesce(k.position, 0), a.attnum"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a"
    "  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid"
    " LEFT JOIN LATERAL (SELECT key.position FROM pg_catalog.pg_index i,"
    "   unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS key(attnum, position)"
    "   WHERE i.indrelid = c.oid AND i.indisprimary AND key.attnum = a.attnum"
    "   AND key.position <= i.indnkeyatts) k ON true"
    " WHERE n.nspname = $1 AND c.relname = $2"
    " ORDER BY a.attnum";

template <class Number>
Number number(const std::string& text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const char* what_it_is(char kind) {
  switch (kind) {
    case 'v':
      return "a view";
    case 'm':
      return "a materialized view";
    case 'f':
      return "a foreign table";
    case 'S':
      return "a sequence";
    default:
      return "not a table";
  }
}

struct Nature {
  char kind = 'r';
  bool partition = false;
  bool unlogged = false;
  bool inherited = false;
};

std::optional<std::string> why_not_a_shape(const postgres::RelationName& name,
                                           const Nature& nature) {
  const std::string quoted = "Table " + postgres::quote_relation(name);
  if (name.schema == "pg_catalog" || name.schema == "information_schema" ||
      name.schema.starts_with("pg_toast") || name.schema.starts_with("pg_temp"))
    return quoted + " is a system or temporary table";
  if (nature.kind == 'p') return quoted + " is partitioned";
  if (nature.partition) return quoted + " is a partition of another table";
  if (nature.kind != 'r') return quoted + " is " + what_it_is(nature.kind);
  if (nature.unlogged) return quoted + " is unlogged, so that its changes are in no stream";
  // Its query shows their rows, its changes in the stream are its own only (postgres.md §15).
  if (nature.inherited) return quoted + " has tables that inherit from it";
  return std::nullopt;
}

/// The fields of k_column_fields begin at `first`. REQUIRES: at least one row.
RelationInfo read_relation(const ResultRows& rows, std::size_t first,
                           const postgres::RelationName& name) {
  RelationInfo info{
      {number<std::uint32_t>(rows.text(0, first))}, name, {}, rows.text(0, first + 1) == "f"};
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto field = [&](std::size_t n) { return rows.text(i, first + 2 + n); };
    info.columns.push_back(ColumnInfo{.name = field(0),
                                      .type = {number<std::uint32_t>(field(1))},
                                      .type_name = field(2),
                                      .type_modifier = number<std::int32_t>(field(3)),
                                      .dimensions = number<std::uint16_t>(field(4)),
                                      .not_null = field(5) == "t",
                                      .generated = field(6) == "t",
                                      .key_position = number<std::uint16_t>(field(7)),
                                      .number = number<std::uint16_t>(field(8))});
  }
  return info;
}

}  // namespace

DatabaseResult<BlockingQuery::LockedTable> BlockingQuery::describe(
    const postgres::RelationName& name) {
  auto rows = connection_->run(
      std::string(
          "SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_current_wal_insert_lsn(),") +
          k_column_fields,
      {name.schema, name.table}, soon());
  if (!rows.ok()) return rows.failure();
  if (rows->rows() == 0)
    return Failure{DatabaseError{DatabaseFailure::undefined_object, "42P01",
                                 "relation " + postgres::quote_relation(name) + " has no columns"}};
  auto snapshot = read_snapshot(*rows);
  if (!snapshot.ok()) return snapshot.failure();
  return LockedTable{std::move(*snapshot), read_relation(*rows, 2, name)};
}

DatabaseResult<std::optional<RelationInfo>> BlockingQuery::inspect(
    const postgres::RelationName& name) {
  // One transaction, so that the columns are those of the relation that was found.
  if (auto begun = run("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"); !begun.ok())
    return begun.failure();
  auto found = inspect_in_transaction(name);
  auto ended = run("ROLLBACK");
  if (found.ok() && !ended.ok()) return ended.failure();
  return found;
}

DatabaseResult<std::optional<RelationInfo>> BlockingQuery::inspect_in_transaction(
    const postgres::RelationName& name) {
  auto relation = connection_->run(k_relation, {name.schema, name.table}, soon());
  if (!relation.ok()) return relation.failure();
  if (relation->rows() == 0) return std::optional<RelationInfo>();
  if (auto why = why_not_a_shape(name, {.kind = relation->text(0, 0).at(0),
                                        .partition = relation->text(0, 1) == "t",
                                        .unlogged = relation->text(0, 2) == "t",
                                        .inherited = relation->text(0, 3) == "t"}))
    return Failure{DatabaseError{DatabaseFailure::undefined_object, "42809", std::move(*why)}};

  auto rows =
      connection_->run(std::string("SELECT") + k_column_fields, {name.schema, name.table}, soon());
  if (!rows.ok()) return rows.failure();
  if (rows->rows() == 0) return std::optional<RelationInfo>();  // nothing to sync: "not found"
  return std::optional<RelationInfo>(read_relation(*rows, 0, name));
}

}  // namespace holdfast::production
