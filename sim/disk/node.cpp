#include "sim/disk/node.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::sim {

Entry DirectoryNode::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Entry{} : found->second;
}

void DirectoryNode::add(const std::string& name, Entry entry) {
  const bool fresh = entries_.emplace(name, entry).second;
  ASSERT(fresh, "a name is created only where it is free");
  pending_.push_back({next_ordinal_++, name, std::move(entry)});
}

void DirectoryNode::remove(const std::string& name) {
  const bool was_there = entries_.erase(name) == 1;
  ASSERT(was_there, "only a name that is there is removed");
  pending_.push_back({next_ordinal_++, name, Entry{}});
}

void DirectoryNode::write_back(const Change& change) {
  if (change.entry) {
    on_platter_[change.name] = change.entry;
  } else {
    on_platter_.erase(change.name);
  }
}

void DirectoryNode::sync() {
  for (const Change& change : pending_) write_back(change);
  pending_.clear();
}

void DirectoryNode::fail_sync(const Fates& fates) {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const Change& change = pending_[i];
    const Fate fate = fates.of(i, change.ordinal);
    // An entry has no halves: torn says that this one alone is open.
    if (fate == Fate::kept || (fate == Fate::torn && fates.keeps_size(change.ordinal))) {
      write_back(change);
    }
  }
  pending_.clear();
}

void DirectoryNode::power_loss(const Fates& fates) {
  fail_sync(fates);
  entries_ = on_platter_;
}

}  // namespace holdfast::sim
