// The collector's side of shapes with subqueries. A batch goes to an inner shape first; what it did
// to the inner shape's result goes with the batch to the shapes above. A shape gets its deliveries
// in the order of the batches, each once no inner shape below it may add to it.
#include <algorithm>

#include "core/stack/log/consumer.hpp"
#include "core/stack/log/shape_log_collector.hpp"

namespace holdfast::stack {

postgres::Lsn ShapeLogCollector::position() const {
  return unfinished_ ? std::min(passed_, unfinished_->commit_lsn) : passed_;
}

bool ShapeLogCollector::may_still_get(const Shape& shape, BatchNumber batch) const {
  return std::any_of(shape.ancestors.begin(), shape.ancestors.end(), [&](const auto& handle) {
    const auto inner = shapes_.find(handle);
    return inner != shapes_.end() && !inner->second.undelivered.empty() &&
           inner->second.undelivered.front()->batch <= batch;
  });
}

void ShapeLogCollector::send_all_waiting() {
  const std::set<protocol::ShapeHandle> waiting = waiting_;
  for (const protocol::ShapeHandle& handle : waiting)
    if (const auto shape = shapes_.find(handle); shape != shapes_.end())
      send_waiting(shape->second);
}

void ShapeLogCollector::deliver_whole(Routed& routed) {
  for (const protocol::ShapeHandle& handle : std::exchange(fragmented_, {})) {
    std::shared_ptr<Delivery>& delivery = routed[handle];
    if (delivery == nullptr) delivery = std::make_shared<Delivery>();
    for (DeliveredTransaction& part : std::exchange(shapes_.at(handle).fragments, {}))
      delivery->transactions.push_back(std::move(part));
  }
}

void ShapeLogCollector::add_positions(Routed& routed) {
  for (auto it = positions_.begin(); it != positions_.end();) {
    Shape& shape = shapes_.at(*it);
    if (shape.waits_for > position()) {
      ++it;
      continue;
    }
    shape.waits_for = {};
    std::shared_ptr<Delivery>& delivery = routed[*it];
    if (delivery == nullptr) delivery = std::make_shared<Delivery>();
    it = positions_.erase(it);
  }
}

void ShapeLogCollector::tell_positions() {
  Routed routed;
  add_positions(routed);
  if (routed.empty()) return;
  std::set<protocol::ShapeHandle> participants;
  for (const auto& [waiting, delivery] : routed) participants.insert(waiting);
  const BatchNumber batch = pipeline_.open_empty(participants);
  for (const auto& [waiting, delivery] : routed)
    waiting_delivery(shapes_.at(waiting), batch).position = position();
}

Delivery& ShapeLogCollector::waiting_delivery(Shape& shape, BatchNumber batch) {
  auto& undelivered = shape.undelivered;
  const auto at = std::find_if(undelivered.begin(), undelivered.end(),
                               [&](const auto& each) { return each->batch >= batch; });
  ASSERT(at - undelivered.begin() >= static_cast<std::ptrdiff_t>(shape.sent),
         "what an inner shape adds to a batch comes before the batch is sent on");
  waiting_.insert(shape.meta.handle);
  if (at != undelivered.end() && (*at)->batch == batch) return **at;
  auto made = std::make_shared<Delivery>();
  made->batch = batch;
  return **undelivered.insert(at, std::move(made));
}

void ShapeLogCollector::subscribe() {
  std::vector<Shape*> subscribers;
  for (const protocol::ShapeHandle& handle : std::exchange(may_subscribe_, {})) {
    if (!unsubscribed_.contains(handle)) continue;
    Shape& shape = shapes_.at(handle);
    const auto& inners = shape.meta.inners;
    const bool all = std::all_of(inners.begin(), inners.end(), [&](const auto& inner) {
      const auto found = shapes_.find(inner);
      return found != shapes_.end() && found->second.has_result && !found->second.set_aside();
    });
    if (all) subscribers.push_back(&shape);
  }
  if (subscribers.empty()) return;
  std::set<protocol::ShapeHandle> participants;
  for (const Shape* shape : subscribers) {
    unsubscribed_.erase(shape->meta.handle);
    participants.insert(shape->meta.handle);
    participants.insert(shape->meta.inners.begin(), shape->meta.inners.end());
  }
  const BatchNumber batch = pipeline_.open_empty(participants);
  for (Shape* shape : subscribers) {
    waiting_delivery(*shape, batch).subscribes = true;
    for (const protocol::ShapeHandle& inner : shape->meta.inners)
      waiting_delivery(shapes_.at(inner), batch).wants_values = true;
  }
  send_all_waiting();
}

void ShapeLogCollector::take_part(Shape& shape, const Contribution& contribution) {
  const SubqueryPart& part = *contribution.subquery;
  const protocol::ShapeHandle& handle = contribution.handle;
  if (!shape.meta.inners.empty()) {
    if (part.seed) router_.seed(handle, *part.seed);
    for (const auto& [kind, delta] : part.routing)
      kind == SubqueryPart::Rerouting::Kind::narrow ? router_.narrow(handle, delta)
                                                    : router_.broaden(handle, delta);
  }
  if (part.query) {
    shape.query = *part.query;
    shape.takes_part_from = pipeline_.next_number();
  }
  if (part.completion) {
    shape.meta.snapshot = part.completion->snapshot;
    completing_.emplace_back(handle, part.completion->snapshot);
  }
  if (part.has_result) {
    if (!shape.has_result)
      for (const auto& [dependent, dependency] : shape.dependents) may_subscribe_.insert(dependent);
    shape.has_result = shape.meta.snapshot_complete = true;
  }
  if (!part.waits_for) return;
  shape.waits_for = *part.waits_for;
  positions_.insert(handle);
  tell_positions();
}

void ShapeLogCollector::pass_on(Shape& shape, const Contribution& contribution) {
  const SubqueryPart& part = *contribution.subquery;
  if (part.moves.empty() && !part.values) return;
  ASSERT(contribution.batch != 0, "a result that moves is state that is committed");
  for (const auto& [handle, dependency] : shape.dependents) {
    Shape& dependent = shapes_.at(handle);
    if (dependent.set_aside()) continue;  // it subscribes when it comes back
    if (!part.moves.empty()) {
      pipeline_.join(contribution.batch, handle);
      waiting_delivery(dependent, contribution.batch).moves.emplace_back(dependency, part.moves);
    }
    if (!part.values) continue;
    for (const auto& delivery : dependent.undelivered)
      if (delivery->batch == contribution.batch && delivery->subscribes)
        delivery->values.emplace(dependency, *part.values);
  }
}

}  // namespace holdfast::stack
