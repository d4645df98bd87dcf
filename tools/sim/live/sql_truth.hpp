// The oracle's truth in live mode, for any set of transactions: the versions that triggers kept, at
// the positions that the slot told, and Postgres' own judgement of the where clauses. One thread.
// Sub-selects read the inner tables as they are now, so shapes with them can be asked about at the
// end of history only.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "oracle/truth.hpp"
#include "tools/sim/live/row_history.hpp"

namespace holdfast::tools::live {

/// REQUIRES: nobody writes any more.
class SqlTruth final : public oracle::Truth {
 public:
  explicit SqlTruth(RowHistory& history);

  oracle::Rows rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) override;
  oracle::RowsDigest digest(const oracle::ShapeSpec& spec,
                            const oracle::VisibleSet& visible) override {
    return oracle::digest_of(rows(spec, visible));
  }
  std::optional<std::uint64_t> transaction_id(std::uint64_t commit_lsn) override;
  /// The triggers do not record it.
  bool key_moved(const oracle::ShapeSpec&, std::uint64_t, const std::string&,
                 const std::string&) override {
    return false;
  }
  std::uint64_t last_commit() override { return commits_.last_lsn; }

  /// Every change of every row, a line of JSON each.
  void write_down(std::ostream& out) const;
  /// The shape's query over the tables themselves.
  oracle::Rows rows_now(const oracle::ShapeSpec& spec);

 private:
  using Cells = std::vector<std::optional<std::string>>;
  /// What one transaction made of one row, at one of its statements.
  struct Change {
    std::uint64_t number = 0;  ///< unique and rising in its table
    std::uint64_t xid = 0;     ///< all 64 bits
    std::uint64_t commit_lsn = 0;
    std::optional<Cells> became;  ///< by the table's columns; nullopt: it was deleted
  };
  struct TableHistory {
    const sim::postgres::TableDefinition* definition = nullptr;
    std::map<std::string, std::vector<Change>> rows;  ///< by the wire's key, in order of commit
  };

  void load(const sim::postgres::TableDefinition& table);
  const std::set<std::uint64_t>& matching(const oracle::ShapeSpec& spec);

  RowHistory& history_;
  Commits commits_;
  std::map<std::string, TableHistory> tables_;
  /// Changes, by table and where clause.
  std::map<std::pair<std::string, std::string>, std::set<std::uint64_t>> matching_;
};

}  // namespace holdfast::tools::live
