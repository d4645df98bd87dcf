// What one reader of a shape with subqueries may hold at a marker (I-29): each of its tests knows
// of each value what was so at some position of the inner rows' history, and that position never
// goes back. So the rows that it holds must be those of the query under some such choice. A row
// that no choice explains, or only one that was over before, is a violation.
//
// Never wrong, and not complete: choices are narrowed row by row until nothing changes, not tried
// all together.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oracle/client/client_view.hpp"
#include "oracle/memberships.hpp"

namespace holdfast::oracle {

struct MembershipCounters {
  std::uint64_t judged = 0;   ///< markers whose rows were
  std::uint64_t lagging = 0;  ///< of these, such that only an earlier position explains
  std::uint64_t unknown = 0;  ///< of these, such that a test said unknown of a row
};

class MembershipCheck {
 public:
  /// `view` is at a marker, at which it has seen `visible` of its own table. Whether the contents
  /// of its rows were compared, too: they are those of the table.
  bool judge(const ClientView& view, const VisibleSet& visible, Memberships& truth,
             MembershipCounters& counters, const Object& object);

 private:
  using Value = std::pair<std::size_t, std::string>;  ///< a test and a left side
  /// By truth: the lowest position that gives it; nullopt: none, or no row admits it.
  using Choices = std::array<std::optional<std::uint64_t>, k_test_truths>;

  void forget(std::uint64_t epoch);
  void find_choices(const std::vector<const TestedRow*>& rows, Memberships& truth);
  /// Narrows the choices by each row until they stand. false: a row admits none.
  bool explain(const std::vector<const TestedRow*>& rows, const ClientView& view,
               const Object& object);
  enum class Narrowed : std::uint8_t { nothing, something, to_nothing };
  /// Takes away what this row does not admit.
  Narrowed narrow(const TestedRow& row, bool held);
  void remember(Memberships& truth, MembershipCounters& counters);

  std::optional<std::uint64_t> epoch_;
  std::map<Value, std::uint64_t> bounds_;  ///< no earlier position from now on
  std::map<Value, Choices> choices_;       ///< at the marker that is judged
  // What the last marker was about: when both are the same, so is the verdict.
  std::vector<const TestedRow*> last_rows_;
  RowsDigest last_view_;
};

}  // namespace holdfast::oracle
