// Shapes and the inner shapes of their subqueries: made together, ended together. Who refers to
// whom is in the rows of those who refer; nothing else remembers it.
#include <algorithm>
#include <set>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"

namespace holdfast::storage {

/// What a creation is about to insert, and the records that it answers.
struct DurableStore::Family {
  struct Added {
    LiveShape live;
    const NewShape* shape;
  };
  std::vector<Added> added;
  std::map<Hash128, std::uint64_t> ids;  ///< of all members
  std::vector<ShapeRecord> records;
};

StoreResult<ShapeRecord> DurableStore::known(std::uint64_t id) {
  auto found = catalogue_.by_id(id);
  if (!found) return found.failure();
  // Nobody but the holder of the epoch removes shapes: it is another instance by now.
  if (!found->has_value())
    return Failure{StoreError{StoreFailure::fenced,
                              connection_->path() + ": a shape was removed by another instance"}};
  ShapeRecord record = std::move((*found)->record);
  record.head = shapes_.at(id).visible;
  return record;
}

StoreResult<std::uint64_t> DurableStore::add_to(Family& family, const NewShape& shape) {
  if (const auto member = family.ids.find(shape.identity); member != family.ids.end())
    return member->second;
  LiveShape added;
  ShapeRecord record;
  for (const NewShape& inner : shape.inners) {
    ASSERT(inner.role == ShapeRole::inner, "what a subquery selects is an inner shape");
    auto id = add_to(family, inner);
    if (!id) return id.failure();
    added.inners.push_back(*id);
    record.inners.push_back({make_handle(inner.identity, state_.handle_base + *id)});
  }
  if (const auto living = by_identity_.find(shape.identity); living != by_identity_.end()) {
    ASSERT(shapes_.at(living->second).inners == added.inners,
           "inner shapes live as long as what refers to them (I-37)");
    auto found = known(living->second);
    if (!found) return found.failure();
    family.ids.emplace(shape.identity, living->second);
    family.records.push_back(std::move(*found));
    return living->second;
  }
  added.id = state_.next_shape + family.added.size();
  added.handle = make_handle(shape.identity, state_.handle_base + added.id);
  added.identity = shape.identity;
  added.role = shape.role;
  record.handle.text = added.handle;
  record.identity = shape.identity;
  record.definition = shape.definition;
  record.role = shape.role;
  family.ids.emplace(shape.identity, added.id);
  family.records.push_back(std::move(record));
  family.added.push_back({std::move(added), &shape});
  return family.added.back().live.id;
}

StoreResult<void> DurableStore::insert(const Family& family) {
  auto begun = begin();
  if (!begun) return begun;
  bool ok = connection_->run(set_next_shape_, state_.next_shape + family.added.size());
  for (const auto& [live, shape] : family.added) {
    const std::string identity = pack_identity(live.identity);
    const std::string inners = pack_inners(live.inners);
    ok = ok && connection_->run(insert_shape_, live.id, Text{live.handle}, Blob{identity},
                                Blob{shape->definition}, static_cast<std::uint64_t>(live.role),
                                Blob{inners});
  }
  if (!ok) return Failure{roll_back(failed("creating a shape"))};
  return finish();
}

StoreResult<std::vector<ShapeRecord>> DurableStore::create(const NewShape& shape) {
  auto ready = usable();
  if (!ready) return ready.failure();
  Family family;
  auto id = add_to(family, shape);
  if (!id) return id.failure();
  if (!family.added.empty()) {
    auto inserted = insert(family);
    if (!inserted) return inserted.failure();
    state_.next_shape += family.added.size();
    for (auto& [live, source] : family.added) add_live(std::move(live));
  }
  return std::move(family.records);
}

/// A shape that a removal ends, and why.
struct DurableStore::Ended {
  enum class Cause : std::uint8_t { itself, lost_inner, not_referred_to };
  std::uint64_t id = 0;
  Cause cause = Cause::itself;
};

std::vector<DurableStore::Ended> DurableStore::end_with(const LiveShape& shape) const {
  std::vector<Ended> ended = {{shape.id, Ended::Cause::itself}};
  if (shape.role == ShapeRole::served && shape.inners.empty()) return ended;
  // By id, which is by creation: whoever refers to a shape comes after it.
  std::map<std::uint64_t, const LiveShape*> related;
  for (const auto& [id, live] : shapes_)
    if (live.role == ShapeRole::inner || !live.inners.empty()) related.emplace(id, &live);
  std::set<std::uint64_t> gone = {shape.id};
  for (const auto& [id, live] : related) {
    const bool lost = std::any_of(live->inners.begin(), live->inners.end(),
                                  [&](std::uint64_t inner) { return gone.contains(inner); });
    if (lost && gone.insert(id).second) ended.push_back({id, Ended::Cause::lost_inner});
  }
  std::set<std::uint64_t> referred_to;
  for (auto it = related.rbegin(); it != related.rend(); ++it) {
    const auto& [id, live] = *it;
    if (!gone.contains(id) && live->role == ShapeRole::inner && !referred_to.contains(id)) {
      gone.insert(id);
      ended.push_back({id, Ended::Cause::not_referred_to});
    }
    if (!gone.contains(id)) referred_to.insert(live->inners.begin(), live->inners.end());
  }
  return ended;
}

StoreResult<std::vector<protocol::ShapeHandle>> DurableStore::would_remove(
    const protocol::ShapeHandle& handle) {
  auto ready = usable();
  if (!ready) return ready.failure();
  std::vector<protocol::ShapeHandle> handles;
  const LiveShape* shape = find_live(handle);
  if (shape == nullptr) return handles;
  for (const Ended& ended : end_with(*shape)) handles.push_back({shapes_.at(ended.id).handle});
  return handles;
}

StoreResult<std::vector<protocol::ShapeHandle>> DurableStore::remove(
    const protocol::ShapeHandle& handle, std::string_view reason, std::int64_t at_unix_us) {
  auto ready = usable();
  if (!ready) return ready.failure();
  std::vector<protocol::ShapeHandle> removed;
  const LiveShape* shape = find_live(handle);
  if (shape == nullptr) return removed;
  const std::vector<Ended> ended = end_with(*shape);
  const std::string lost_inner = "dependency removed: " + std::string(reason);
  auto begun = begin();
  if (!begun) return begun.failure();
  for (const auto& [id, cause] : ended) {
    std::string_view why = reason;
    if (cause == Ended::Cause::lost_inner) why = lost_inner;
    if (cause == Ended::Cause::not_referred_to) why = "not referred to any more";
    if (!connection_->run(insert_removed_, id, Text{why},
                          static_cast<std::uint64_t>(at_unix_us)) ||
        !connection_->run(delete_shape_, id))
      return Failure{roll_back(failed("removing a shape"))};
  }
  auto done = finish();
  if (!done) return done.failure();
  for (const auto& [id, cause] : ended) {
    removals_[id] = RemovalState::open;
    removed.push_back({shapes_.at(id).handle});
    drop_live(shapes_.at(id));
  }
  return removed;
}

}  // namespace holdfast::storage
