#include "tools/sim/live/sql_truth.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>

#include "core/base/assert.hpp"

namespace holdfast::tools::live {
namespace {

using sim::postgres::quote_identifier;
using sim::postgres::quote_relation;
using sim::postgres::TableDefinition;

/// `prefix` before each column of the table, in order.
std::string columns_of(const TableDefinition& table, const std::string& prefix) {
  std::string text;
  for (const auto& column : table.columns)
    text += (text.empty() ? "" : ", ") + prefix + quote_identifier(column.name);
  return text;
}

std::uint64_t number_of(const std::optional<std::string>& cell) {
  return std::stoull(cell.value());
}

bool contains(const oracle::VisibleSet& visible, std::uint64_t xid, std::uint64_t commit_lsn) {
  if (commit_lsn <= visible.up_to) return true;
  const oracle::StatedSnapshot& snapshot = visible.snapshot;
  if (xid < snapshot.xmin) return true;
  return xid < snapshot.xmax &&
         std::find(snapshot.xip.begin(), snapshot.xip.end(), xid) == snapshot.xip.end();
}

std::string key_text(const TableDefinition& table, const SqlRow& cells, std::size_t from) {
  std::map<std::uint16_t, std::optional<std::string>> key;
  oracle::ShapeSpec spec;
  spec.schema = table.name.schema;
  spec.table = table.name.table;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].key_position != 0) key[table.columns[i].key_position] = cells[from + i];
  std::vector<std::optional<std::string>> values;
  for (const auto& [position, value] : key) values.push_back(value);
  return oracle::key_of(spec, values);
}

}  // namespace

SqlTruth::SqlTruth(RowHistory& history) : history_(history) {
  history.flush();
  commits_ = history.commits();
  for (const TableDefinition& table : history.plan().tables) load(table);
}

void SqlTruth::load(const TableDefinition& table) {
  TableHistory& loaded = tables_[table.name.table];
  loaded.definition = &table;
  const std::size_t width = table.columns.size();
  const SqlRows rows =
      history_.session().run("SELECT number, xid, operation, " + columns_of(table, "(was).") +
                             ", " + columns_of(table, "(became).") + " FROM " +
                             history_of(table.name.table) + " ORDER BY number");
  for (const SqlRow& row : rows) {
    constexpr std::size_t k_was = 3;
    const std::size_t became = k_was + width;
    Change change{number_of(row[0]), number_of(row[1]), 0, {}};
    const auto commit = commits_.lsn_of.find(static_cast<std::uint32_t>(change.xid));
    if (commit == commits_.lsn_of.end())
      throw std::runtime_error("live mode's own slot does not tell of transaction " + *row[1]);
    change.commit_lsn = commit->second;
    const bool was_there = row[2] != "INSERT";
    const bool is_there = row[2] != "DELETE";
    const std::string old_key = was_there ? key_text(table, row, k_was) : "";
    const std::string new_key = is_there ? key_text(table, row, became) : "";
    if (was_there && old_key != new_key) loaded.rows[old_key].push_back(change);
    if (!is_there) continue;
    change.became = Cells(row.begin() + static_cast<std::ptrdiff_t>(became), row.end());
    loaded.rows[new_key].push_back(std::move(change));
  }
  for (auto& [key, changes] : loaded.rows)
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
      return a.commit_lsn != b.commit_lsn ? a.commit_lsn < b.commit_lsn : a.number < b.number;
    });
}

const std::set<std::uint64_t>& SqlTruth::matching(const oracle::ShapeSpec& spec) {
  const auto [found, is_new] = matching_.try_emplace({spec.table, spec.where});
  if (!is_new) return found->second;
  const SqlRows rows = history_.session().run(
      "SELECT holdfast_number FROM (SELECT number AS holdfast_number, (became).* FROM " +
      history_of(spec.table) + " WHERE operation <> 'DELETE') AS " + quote_identifier(spec.table) +
      (spec.where.empty() ? "" : " WHERE (" + spec.where + ")"));
  for (const SqlRow& row : rows) found->second.insert(number_of(row[0]));
  return found->second;
}

oracle::Rows SqlTruth::rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) {
  const TableHistory& table = tables_.at(spec.table);
  ASSERT(spec.where.find("(SELECT") == std::string::npos || visible.up_to >= commits_.last_lsn,
         "inner tables are known as of the end of history");
  const std::set<std::uint64_t>& numbers = matching(spec);
  oracle::Rows rows;
  for (const auto& [key, changes] : table.rows) {
    // Who changes a row waits for whoever changed it before, so what is visible is a beginning.
    const auto last = std::find_if(changes.rbegin(), changes.rend(), [&](const Change& change) {
      return contains(visible, change.xid, change.commit_lsn);
    });
    if (last == changes.rend() || !last->became || !numbers.contains(last->number)) continue;
    oracle::Row& row = rows[key];
    for (std::size_t i = 0; i < table.definition->columns.size(); ++i)
      if (spec.selects(table.definition->columns[i].name))
        row.emplace(table.definition->columns[i].name, (*last->became)[i]);
  }
  return rows;
}

std::optional<std::uint64_t> SqlTruth::transaction_id(std::uint64_t commit_lsn) {
  const auto found = commits_.id_at.find(commit_lsn);
  if (found == commits_.id_at.end()) return std::nullopt;
  return found->second;
}

oracle::Rows SqlTruth::rows_now(const oracle::ShapeSpec& spec) {
  const TableDefinition& table = *tables_.at(spec.table).definition;
  const SqlRows found = history_.session().run(
      "SELECT " + columns_of(table, "") + " FROM " + quote_relation(table.name) +
      (spec.where.empty() ? "" : " WHERE (" + spec.where + ")"));
  oracle::Rows rows;
  for (const SqlRow& cells : found) {
    oracle::Row& row = rows[key_text(table, cells, 0)];
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (spec.selects(table.columns[i].name)) row.emplace(table.columns[i].name, cells[i]);
  }
  return rows;
}

void SqlTruth::write_down(std::ostream& out) const {
  for (const auto& [name, table] : tables_)
    for (const auto& [key, changes] : table.rows)
      for (const Change& change : changes) {
        nlohmann::ordered_json line = {{"table", name},
                                       {"key", key},
                                       {"commit_lsn", change.commit_lsn},
                                       {"xid", change.xid},
                                       {"became", nullptr}};
        for (std::size_t i = 0; change.became && i < change.became->size(); ++i) {
          nlohmann::ordered_json& cell = line["became"][table.definition->columns[i].name];
          if ((*change.became)[i]) cell = *(*change.became)[i];
        }
        out << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
      }
}

}  // namespace holdfast::tools::live
