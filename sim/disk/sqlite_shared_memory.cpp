#include "sim/disk/sqlite_shared_memory.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/assert.hpp"

namespace holdfast::sim {

void SqliteSharedMemory::attach(Connection& connection, std::uint64_t mount) {
  ASSERT(connection.view == nullptr, "a connection maps the WAL index once");
  const auto known = std::find_if(views_.begin(), views_.end(),
                                  [&](const auto& view) { return view->mount == mount; });
  if (known != views_.end()) {
    connection.view = *known;
  } else {
    connection.view = std::make_shared<View>();
    connection.view->mount = mount;
    if (!views_.empty()) {
      for (const auto& region : views_.front()->regions) {
        auto& copy = connection.view->regions.emplace_back(
            std::make_unique_for_overwrite<std::byte[]>(region_bytes_));
        std::memcpy(copy.get(), region.get(), region_bytes_);
      }
    }
    views_.push_back(connection.view);
  }
  connection.view->connections += 1;
  connections_.push_back(&connection);
}

void SqliteSharedMemory::leave(Connection& connection) {
  connection.shared_mask = 0;
  connection.exclusive_mask = 0;
  std::erase(connections_, &connection);
  connection.view->connections -= 1;
  if (connection.view->connections == 0) std::erase(views_, connection.view);
}

bool SqliteSharedMemory::detach(Connection& connection) {
  leave(connection);
  const bool last = connection.view->connections == 0;
  connection.view.reset();
  return last;
}

void SqliteSharedMemory::abandon(Connection& connection) {
  leave(connection);
}

std::byte* SqliteSharedMemory::map(Connection& connection, std::size_t region,
                                   std::size_t size_bytes, bool extend) {
  ASSERT(connection.view != nullptr, "a region is mapped by an attached connection");
  auto& regions = connection.view->regions;
  if (region >= regions.size()) {
    if (!extend) return nullptr;
    ASSERT(regions.empty() || region_bytes_ == size_bytes, "all regions have one size");
    region_bytes_ = size_bytes;
    for (const auto& view : views_) {
      while (view->regions.size() <= region) {
        view->regions.push_back(std::make_unique<std::byte[]>(size_bytes));
      }
    }
  }
  return regions[region].get();
}

bool SqliteSharedMemory::lock_shared(Connection& connection, std::uint16_t mask) {
  for (const Connection* other : connections_) {
    if (other != &connection && (other->exclusive_mask & mask) != 0) return false;
  }
  connection.shared_mask |= mask;
  return true;
}

bool SqliteSharedMemory::lock_exclusive(Connection& connection, std::uint16_t mask) {
  for (const Connection* other : connections_) {
    const int held = other->exclusive_mask | other->shared_mask;
    if (other != &connection && (held & mask) != 0) return false;
  }
  connection.exclusive_mask |= mask;
  return true;
}

void SqliteSharedMemory::unlock(Connection& connection, std::uint16_t mask) {
  const auto keep = static_cast<std::uint16_t>(~mask);
  connection.shared_mask &= keep;
  connection.exclusive_mask &= keep;
}

void SqliteSharedMemory::publish(const Connection& connection) {
  if (views_.size() < 2 || connection.exclusive_mask == 0) return;
  for (const auto& view : views_) {
    if (view == connection.view) continue;
    for (std::size_t i = 0; i < view->regions.size(); ++i) {
      std::memcpy(view->regions[i].get(), connection.view->regions[i].get(), region_bytes_);
    }
  }
}

}  // namespace holdfast::sim
