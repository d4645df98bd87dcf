#include "tools/sim/live/row_history.hpp"

#include <algorithm>

namespace holdfast::tools::live {
namespace {

using sim::postgres::quote_identifier;
using sim::postgres::quote_literal;
using sim::postgres::quote_relation;
using sim::postgres::TableDefinition;

constexpr const char* k_publication = "holdfast_live_truth";

std::string create_sql(const TableDefinition& table) {
  std::string columns;
  std::map<std::uint16_t, std::string> key;
  for (const auto& column : table.columns) {
    columns += quote_identifier(column.name) + " " +
               std::string(sim::postgres::name_of(column.type)) +
               (column.not_null ? " NOT NULL, " : ", ");
    if (column.key_position != 0) key[column.key_position] = quote_identifier(column.name);
  }
  std::string names;
  for (const auto& [position, name] : key) names += (names.empty() ? "" : ", ") + name;
  return "CREATE TABLE " + quote_relation(table.name) + " (" + columns + "PRIMARY KEY (" + names +
         "))";
}

std::uint64_t hexadecimal(const std::optional<std::string>& cell) {
  return std::stoull(cell.value(), nullptr, 16);
}

}  // namespace

std::string history_of(const std::string& table) {
  return quote_relation({"holdfast_live", "history of " + table});
}

RowHistory::RowHistory(const std::string& url, const scenarios::Plan& plan, std::string slot)
    : session_(url), plan_(plan), slot_(std::move(slot)) {
  session_.run("CREATE SCHEMA holdfast_live");
  std::string tables;
  for (const TableDefinition& table : plan.tables) {
    make_table(table);
    tables += (tables.empty() ? "" : ", ") + quote_relation(table.name);
  }
  session_.run(std::string("CREATE PUBLICATION ") + k_publication + " FOR TABLE " + tables);
  session_.run("SELECT pg_create_logical_replication_slot(" + quote_literal(slot_) +
               ", 'pgoutput')");
}

void RowHistory::make_table(const TableDefinition& table) {
  const std::string name = quote_relation(table.name);
  const std::string history = history_of(table.name.table);
  const std::string function = quote_relation({"holdfast_live", "note " + table.name.table});
  session_.run(create_sql(table));
  session_.run("CREATE TABLE " + history +
               " (number bigserial PRIMARY KEY, xid xid8 NOT NULL, was " + name + ", became " +
               name + ", operation text NOT NULL)");
  session_.run("CREATE FUNCTION " + function +
               "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
               " IF TG_OP = 'DELETE' THEN INSERT INTO " +
               history +
               " (xid, was, operation) VALUES (pg_current_xact_id(), OLD, TG_OP);"
               " ELSIF TG_OP = 'INSERT' THEN INSERT INTO " +
               history +
               " (xid, became, operation) VALUES (pg_current_xact_id(), NEW, TG_OP);"
               " ELSE INSERT INTO " +
               history +
               " (xid, was, became, operation) VALUES (pg_current_xact_id(), OLD, NEW, TG_OP);"
               " END IF; RETURN NULL; END $$");
  session_.run("CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON " + name +
               " FOR EACH ROW EXECUTE FUNCTION " + function + "()");
}

const Commits& RowHistory::commits() {
  // Begin: 'B', commit LSN, time, transaction id. Commit: 'C', flags, commit LSN, end LSN, time.
  const SqlRows rows = session_.run(
      "SELECT get_byte(data, 0), encode(substring(data FROM 2 FOR 8), 'hex'),"
      " encode(substring(data FROM 11 FOR 8), 'hex'), encode(substring(data FROM 18 FOR 4), 'hex')"
      " FROM pg_logical_slot_get_binary_changes(" +
      quote_literal(slot_) + ", NULL, NULL, 'proto_version', '1', 'publication_names', '" +
      k_publication + "') WHERE get_byte(data, 0) IN (66, 67)");
  for (const SqlRow& row : rows) {
    if (row[0] == "66") {
      const std::uint64_t lsn = hexadecimal(row[1]);
      const auto xid = static_cast<std::uint32_t>(hexadecimal(row[3]));
      commits_.lsn_of[xid] = lsn;
      commits_.id_at[lsn] = xid;
      commits_.last_lsn = std::max(commits_.last_lsn, lsn);
    } else {
      commits_.end_lsn = std::max(commits_.end_lsn, hexadecimal(row[2]));
    }
  }
  return commits_;
}

}  // namespace holdfast::tools::live
