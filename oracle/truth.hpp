// The database's history as the oracle may ask about it: the Postgres model in a simulated run, SQL
// at quiescence in live mode. An interface: the oracle knows neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/rows_digest.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

/// A snapshot as the log's own `snapshot-end` states it.
struct StatedSnapshot {
  std::uint64_t xmin = 0;
  std::uint64_t xmax = 0;
  std::vector<std::uint64_t> xip;
  bool operator==(const StatedSnapshot&) const = default;
};

/// {transactions with commit LSN <= up_to} and those visible in the snapshot.
struct VisibleSet {
  std::uint64_t up_to = 0;
  StatedSnapshot snapshot;
  std::size_t form = 0;  ///< of the shape's table: whose rows, and which columns they have
};

class Memberships;

class Truth {
 public:
  virtual ~Truth() = default;
  /// The rows of the shape's query over the visible set.
  virtual Rows rows(const ShapeSpec& spec, const VisibleSet& visible) = 0;
  /// The digest of rows(), for less than rows() costs. May differ from it only where rows() has one
  /// row for several equal ones of a table without primary key.
  virtual RowsDigest digest(const ShapeSpec& spec, const VisibleSet& visible) = 0;
  /// Of a shape with subqueries, by its spec's name; nullptr: this truth knows of none.
  virtual Memberships* memberships(const ShapeSpec&) { return nullptr; }
  /// The 32-bit id of the transaction that committed there; nullopt: not known.
  virtual std::optional<std::uint64_t> transaction_id(std::uint64_t commit_lsn) = 0;
  /// Whether the transaction that committed there gave a row another key, and the two keys met
  /// nothing else in it. False also where that is not known.
  virtual bool key_moved(const ShapeSpec& spec, std::uint64_t commit_lsn, const std::string& from,
                         const std::string& to) = 0;
  /// Commit LSN of the last transaction that wrote anything.
  virtual std::uint64_t last_commit() = 0;

  // -- forms of a shape's table -------------------------------------------------------------------
  // A table may be dropped, made again, renamed and altered. What of that a shape can tell gives
  // its table another form; forms that the shape cannot tell from each other are one. A shape is of
  // the form that its snapshot saw, to its end. Where nobody alters tables, there is one.

  virtual std::size_t form_count(const ShapeSpec&) { return 1; }
  /// The form in which the snapshot read the table.
  virtual std::size_t form_seen(const ShapeSpec&, const StatedSnapshot&) { return 0; }
  /// The one that holds for whoever writes to the table and commits there.
  virtual std::size_t form_at(const ShapeSpec&, std::uint64_t /*commit_lsn*/) { return 0; }
  /// The shape with the columns that its table has in this form.
  virtual ShapeSpec in_form(const ShapeSpec& spec, std::size_t /*form*/) { return spec; }
};

}  // namespace holdfast::oracle
