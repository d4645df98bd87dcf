#include "core/subquery/move_queue.hpp"

#include <algorithm>

#include "core/where/link_value.hpp"

namespace holdfast::subquery {
namespace {

void write_values(where::ByteWriter& out, const std::vector<std::string>& values) {
  out.number(values.size());
  for (const std::string& value : values) out.text(value);
}

void read_values(where::ByteReader& in, std::vector<std::string>& values) {
  const std::size_t count = in.count();
  for (std::size_t i = 0; i < count && !in.failed(); ++i) values.emplace_back(in.text());
}

}  // namespace

ValueSet changed(const ValueSet& set, const ViewDelta& delta) {
  ValueSet made = set;
  for (const std::string& value : delta.outs) made = made.without(value);
  for (const std::string& value : delta.ins) made = made.with(value);
  return made;
}

void MoveQueue::add(std::size_t dependency, const Moves& moves, const ValueSet& view) {
  Waiting& waiting = waiting_.at(dependency);
  const auto wish = [&](const std::string& value, bool enters) {
    if (view.contains(value) == enters)
      waiting.enters.erase(value);
    else
      waiting.enters[value] = enters;
  };
  for (const std::string& value : moves.outs) wish(value, false);
  for (const std::string& value : moves.ins) wish(value, true);
  if (waiting.enters.empty())
    waiting.txids.clear();
  else
    waiting.txids.insert(moves.txids.begin(), moves.txids.end());
}

void MoveQueue::subscribe(std::size_t dependency, const ValueSet& values, const ValueSet& view) {
  waiting_.at(dependency) = {};
  add(dependency, {values.minus(view), view.minus(values), {}}, view);
}

bool MoveQueue::empty() const {
  return std::all_of(waiting_.begin(), waiting_.end(),
                     [](const Waiting& waiting) { return waiting.enters.empty(); });
}

MoveBatch MoveQueue::take(std::size_t dependency, const std::vector<std::string>& values) {
  Waiting& waiting = waiting_[dependency];
  MoveBatch batch;
  batch.delta.dependency = dependency;
  for (const std::string& value : values) {
    const auto found = waiting.enters.find(value);
    (found->second ? batch.delta.ins : batch.delta.outs).push_back(value);
    waiting.enters.erase(found);
  }
  batch.txids.assign(waiting.txids.begin(), waiting.txids.end());
  if (waiting.enters.empty()) waiting.txids.clear();
  return batch;
}

// A value with a NULL in it matches no row of a positive dependency, and any row of a negated one.
std::optional<MoveBatch> MoveQueue::take_immediate(const Marking& marking) {
  for (std::size_t d = 0; d < waiting_.size(); ++d) {
    const bool negated = marking.plan().dependencies[d].negated;
    std::vector<std::string> values;
    for (const auto& [value, enters] : waiting_[d].enters) {
      const bool takes_rows_away = enters == negated && marking.patterns_follow(d, {value});
      if (takes_rows_away || (!negated && where::has_null(value))) values.push_back(value);
    }
    if (!values.empty()) return take(d, values);
  }
  return std::nullopt;
}

std::optional<MoveBatch> MoveQueue::take_queried(std::size_t most_values) {
  for (std::size_t d = 0; d < waiting_.size(); ++d) {
    std::vector<std::string> values;
    for (const auto& [value, enters] : waiting_[d].enters)
      if (values.size() < most_values) values.push_back(value);
    if (!values.empty()) return take(d, values);
  }
  return std::nullopt;
}

void write_batch(where::ByteWriter& out, const MoveBatch& batch) {
  out.number(batch.delta.dependency);
  write_values(out, batch.delta.ins);
  write_values(out, batch.delta.outs);
  out.number(batch.txids.size());
  for (const std::uint64_t txid : batch.txids) out.number(txid);
}

bool read_batch(where::ByteReader& in, MoveBatch& batch) {
  batch.delta.dependency = static_cast<std::size_t>(in.number());
  read_values(in, batch.delta.ins);
  read_values(in, batch.delta.outs);
  batch.txids.resize(in.count());
  for (std::uint64_t& txid : batch.txids) txid = in.number();
  return !in.failed();
}

}  // namespace holdfast::subquery
