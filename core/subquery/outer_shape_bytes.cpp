// The stored form of an outer shape: views, the move under way, what is buffered (design.md §7).
// Moves that wait are not stored: the next subscription finds them.
#include <utility>

#include "core/subquery/outer_shape.hpp"
#include "core/where/byte_stream.hpp"

namespace holdfast::subquery {
namespace {

using where::ByteReader;
using where::ByteWriter;

constexpr std::uint64_t k_version = 2;

constexpr std::uint64_t k_complete = 1;
constexpr std::uint64_t k_pending = 2;

}  // namespace

std::string OuterShape::header() const {
  ByteWriter out;
  out.number(k_version);
  out.number((snapshot_complete_ ? k_complete : 0) | (pending_ ? k_pending : 0));
  out.number(attempts_);
  out.number(head_.tx);
  out.number(head_.op);
  out.number(handled_.value);
  out.number(position_.value);
  out.number(open_.value);
  return out.take();
}

void OuterShape::note_change(const ViewDelta& delta) {
  const std::uint32_t space =
      number(Space::first_of_views) + static_cast<std::uint32_t>(delta.dependency);
  for (const std::string& value : delta.ins) changes_.push_back({space, value, std::string()});
  for (const std::string& value : delta.outs) changes_.push_back({space, value, std::nullopt});
}

void OuterShape::note_pending() {
  std::optional<std::string> bytes;
  if (pending_ && snapshot_complete_) {
    ByteWriter out;
    write_batch(out, pending_->batch);
    bytes = out.take();
  }
  changes_.push_back({number(Space::pending_move), std::string(), std::move(bytes)});
}

std::vector<StateDelta> OuterShape::take_changes() {
  std::string now = header();
  if (now != stored_header_) {
    changes_.push_back({number(Space::header), std::string(), now});
    stored_header_ = std::move(now);
  }
  return std::exchange(changes_, {});
}

bool OuterShape::read_header(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.number() != k_version) return false;
  const std::uint64_t flags = in.number_up_to(k_complete | k_pending);
  snapshot_complete_ = (flags & k_complete) != 0;
  attempts_ = in.number();
  head_.tx = in.number();
  head_.op = in.number();
  handled_.value = in.number();
  position_.value = in.number();
  open_.value = in.number();
  if ((flags & k_pending) != 0) pending_ = Pending{};
  stored_header_ = bytes;
  return in.finished();
}

Result<std::optional<OuterShape>> OuterShape::restore(
    const std::vector<StateDelta>& entries, std::shared_ptr<const shape::Definition> definition,
    const protocol::ShapeHandle& handle, Options options) {
  const auto damaged = [&] { return fail("the state of shape " + handle.text + " is damaged"); };
  const std::size_t dependencies = definition->dependencies().size();
  OuterShape made(std::move(definition), handle, Views(std::vector<ValueSet>(dependencies)),
                  std::move(options));
  bool stored = false;
  std::vector<std::vector<std::string>> views(dependencies);
  MoveBatch move;
  for (const auto& [space, key, value] : entries) {
    const std::string& bytes = *value;
    if (space == number(Space::header)) {
      if (!made.read_header(bytes)) return damaged();
      stored = true;
    } else if (space == number(Space::pending_move)) {
      ByteReader in(bytes);
      if (!read_batch(in, move) || !in.finished() || move.delta.dependency >= dependencies)
        return damaged();
    } else if (space == number(Space::buffer)) {
      if (!made.buffer_.restore(*key)) return damaged();
    } else if (space >= number(Space::first_of_views)) {
      const std::size_t dependency = space - number(Space::first_of_views);
      if (dependency >= dependencies) return damaged();
      views[dependency].push_back(*key);
    }
  }
  if (!stored) return std::optional<OuterShape>();
  for (std::size_t d = 0; d < dependencies; ++d) made.views_.sets[d] = ValueSet(views[d]);
  if (made.pending_) {
    made.pending_->target = made.views_;
    if (made.snapshot_complete_) {
      ValueSet& set = made.pending_->target.sets.at(move.delta.dependency);
      set = changed(set, move.delta);
      made.pending_->batch = std::move(move);
    }
  }
  made.changes_.clear();
  // The snapshot that will be taken anew contains what waited for it.
  if (made.initial()) made.buffer_.clear(made.changes_);
  return std::optional<OuterShape>(std::move(made));
}

}  // namespace holdfast::subquery
