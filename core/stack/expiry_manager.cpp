#include "core/stack/expiry_manager.hpp"

#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/stack/shape_changes.hpp"
#include "core/stack/shape_cleaner.hpp"

namespace holdfast::stack {
namespace {

/// Removed before others get their turn: each removal is a commit of its own.
constexpr std::size_t k_removals_at_once = 100;

}  // namespace

std::vector<protocol::ShapeHandle> least_recently_read(const LastReads& reads, std::size_t count) {
  std::vector<std::pair<Instant, protocol::ShapeHandle>> order;
  order.reserve(reads.size());
  for (const auto& [handle, at] : reads) order.emplace_back(at, handle);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), end, order.end());
  std::vector<protocol::ShapeHandle> chosen;
  for (auto it = order.begin(); it != end; ++it) chosen.push_back(std::move(it->second));
  return chosen;
}

void ExpiryManager::init() {
  ASSERT(context_->options.max_shapes.has_value(), "shapes expire only where there is a limit");
  look_who_lives();
  send_after<&ExpiryManager::look>(context_->options.expiry_interval);
}

void ExpiryManager::read(protocol::ShapeHandle handle) {
  reads_[std::move(handle)] = now();
}

bool ExpiryManager::look_who_lives() {
  const auto shapes = runtime::TableRef(runtime(), tables::shape_meta).rows();
  if (!shapes.found()) return false;
  LastReads living;
  for (const auto& [handle, meta] : shapes.value()) {
    // Nobody has read it yet: who had it made is about to.
    const auto known = reads_.find(handle);
    living.emplace(handle, known == reads_.end() ? now() : known->second);
  }
  reads_ = std::move(living);
  return true;
}

void ExpiryManager::note_who_waits() {
  if (!context_->guards.on(Guard::held_request_is_a_read)) return;
  const auto waited_for = call<&ShapeChanges::waited_for>(names::shape_changes);
  for (const protocol::ShapeHandle& handle : waited_for)
    if (const auto known = reads_.find(handle); known != reads_.end()) known->second = now();
}

void ExpiryManager::look() {
  bool more = false;
  try {
    more = remove_some();
  } catch (const runtime::ProcessExit&) {
    // Whoever it was, and whatever the reason: tried again when it is time. A removal that became
    // durable all the same is told by the store itself.
  }
  send_after<&ExpiryManager::look>(more ? Duration{0} : context_->options.expiry_interval);
}

bool ExpiryManager::remove_some() {
  const std::size_t limit = *context_->options.max_shapes;
  if (!look_who_lives() || reads_.size() <= limit) return false;
  note_who_waits();
  const std::size_t excess = reads_.size() - limit;
  context_->emit({observe::Level::info,
                  "shapes_expire",
                  {{"shapes", std::to_string(reads_.size())}, {"limit", std::to_string(limit)}}});
  auto chosen = least_recently_read(reads_, std::min(excess, k_removals_at_once));
  const auto removed = call<&ShapeCleaner::expire>(names::shape_cleaner, std::move(chosen), limit);
  // What failed, or is no longer needed, is looked at again when it is time.
  return removed.ok() && *removed == k_removals_at_once;
}

}  // namespace holdfast::stack
