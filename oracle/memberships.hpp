// The membership tests of one clause over the database's history, as the oracle may ask about them:
// a reader of a shape with subqueries knows the rows of its own table as they are at a marker, and
// the inner ones as they were at some time before. An interface beside `truth`; live mode has none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/rows_digest.hpp"
#include "oracle/truth.hpp"

namespace holdfast::oracle {

/// What a test says of a row, in SQL's logic.
enum class TestTruth : std::uint8_t { no, yes, unknown };
inline constexpr std::size_t k_test_truths = 3;

/// One version of a row of the shape's own table.
struct TestedRow {
  std::string key;                 ///< the wire's
  std::vector<std::string> lefts;  ///< by test; equal for equal left sides and for no others
  /// Whether the clause chooses the row if test i says t_i, at the index sum of t_i * 3^i.
  std::vector<bool> chosen;
  RowsDigest contents;  ///< of the selected cells
};

class Memberships {
 public:
  virtual ~Memberships() = default;
  /// To be called before the others. false: nothing can be said of this clause now.
  virtual bool refresh() = 0;
  /// Changes when positions lose their meaning, as by a crash that takes commits back.
  virtual std::uint64_t epoch() const = 0;
  virtual std::size_t tests() const = 0;
  /// The rows of the table, chosen or not; a version is the same object for ever within an epoch.
  virtual std::vector<const TestedRow*> rows(const VisibleSet& visible) = 0;
  /// The lowest position from `from` on, in the database's history, at which the test said `truth`
  /// of this left side; nullopt: nowhere yet.
  virtual std::optional<std::uint64_t> earliest(std::size_t test, const std::string& left,
                                                TestTruth truth, std::uint64_t from) = 0;
};

}  // namespace holdfast::oracle
