#include "sim/disk/sqlite_locks.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim {

LockLevel SqliteLocks::highest_of_others(const LockHolder& holder) const {
  LockLevel highest = LockLevel::none;
  for (const LockHolder* other : holders_) {
    if (other != &holder) highest = std::max(highest, other->level);
  }
  return highest;
}

bool SqliteLocks::acquire(LockHolder& holder, LockLevel wanted) {
  if (holder.level >= wanted) return true;
  const LockLevel others = highest_of_others(holder);
  switch (wanted) {
    case LockLevel::none:
    case LockLevel::pending:
      ASSERT(false, "SQLite never asks for NONE or PENDING by name");
    case LockLevel::shared:
      if (others >= LockLevel::pending) return false;
      break;
    case LockLevel::reserved:
      ASSERT(holder.level == LockLevel::shared, "RESERVED is asked for by a reader only");
      if (others >= LockLevel::reserved) return false;
      break;
    case LockLevel::exclusive:
      ASSERT(holder.level >= LockLevel::shared, "EXCLUSIVE is asked for by a reader only");
      if (others >= LockLevel::reserved) return false;
      if (others == LockLevel::shared) {
        holder.level = LockLevel::pending;
        return false;
      }
      break;
  }
  if (holder.level == LockLevel::none) holders_.push_back(&holder);
  holder.level = wanted;
  return true;
}

void SqliteLocks::release(LockHolder& holder, LockLevel remaining) {
  ASSERT(remaining <= LockLevel::shared, "a lock is released down to SHARED or NONE");
  if (holder.level <= remaining) return;
  holder.level = remaining;
  if (remaining == LockLevel::none) std::erase(holders_, &holder);
}

bool SqliteLocks::is_reserved() const {
  return std::any_of(holders_.begin(), holders_.end(),
                     [](const LockHolder* holder) { return holder->level >= LockLevel::reserved; });
}

}  // namespace holdfast::sim
