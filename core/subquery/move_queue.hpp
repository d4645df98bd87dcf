// Moves that an outer shape has still to make (engine.md §3.4): per dependency the last wish per
// value, without those that its view fulfils already. What only takes rows away, as the outer shape
// sees it, comes first and costs no query; the rest comes in batches of one dependency, the lowest
// first (F-81). A value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/subquery/marking.hpp"
#include "core/subquery/materializer_state.hpp"
#include "core/where/byte_stream.hpp"

namespace holdfast::subquery {

/// One change of one view.
struct ViewDelta {
  std::size_t dependency = 0;
  std::vector<std::string> ins;
  std::vector<std::string> outs;
  bool operator==(const ViewDelta&) const = default;
};

struct MoveBatch {
  ViewDelta delta;
  std::vector<std::uint64_t> txids;
  bool operator==(const MoveBatch&) const = default;
};

class MoveQueue {
 public:
  explicit MoveQueue(std::size_t dependencies) : waiting_(dependencies) {}

  /// `view`: what the shape will have once everything that it has begun is done.
  void add(std::size_t dependency, const Moves& moves, const ValueSet& view);
  /// Replaces what waits for a dependency by the difference between a view and the values that it
  /// should have: a subscription (engine.md §8.3).
  void subscribe(std::size_t dependency, const ValueSet& values, const ValueSet& view);

  bool empty() const;
  /// Removes and returns what needs no query, of one dependency; nullopt: there is none.
  std::optional<MoveBatch> take_immediate(const Marking& marking);
  /// Removes and returns at most `most_values` of the others, of one dependency.
  std::optional<MoveBatch> take_queried(std::size_t most_values);

 private:
  struct Waiting {
    std::map<std::string, bool> enters;  ///< by value
    std::set<std::uint64_t> txids;
  };
  MoveBatch take(std::size_t dependency, const std::vector<std::string>& values);

  std::vector<Waiting> waiting_;
};

void write_batch(where::ByteWriter& out, const MoveBatch& batch);
bool read_batch(where::ByteReader& in, MoveBatch& batch);
/// The set with a change made.
ValueSet changed(const ValueSet& set, const ViewDelta& delta);

}  // namespace holdfast::subquery
