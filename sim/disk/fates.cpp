#include "sim/disk/fates.hpp"

#include <array>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"

namespace holdfast::sim {

Fates::Fates(env::Random& random, std::uint64_t path, CrashPolicy policy, std::uint64_t operations)
    : random_(random), path_(path), policy_(policy) {
  if (policy_ == CrashPolicy::drawn) {
    constexpr std::array k_policies = {CrashPolicy::lose_all, CrashPolicy::keep_all,
                                       CrashPolicy::keep_prefix, CrashPolicy::independent};
    policy_ = k_policies[random_.draw(path_, "disk.crash.policy", 0) % k_policies.size()];
  }
  if (policy_ == CrashPolicy::keep_prefix) {
    prefix_ = random_.draw(path_, "disk.crash.prefix", 0) % (operations + 1);
  }
}

Fate Fates::of(std::uint64_t index, std::uint64_t ordinal) const {
  switch (policy_) {
    case CrashPolicy::lose_all:
      return Fate::dropped;
    case CrashPolicy::keep_all:
      return Fate::kept;
    case CrashPolicy::keep_prefix:
      if (index == prefix_) return Fate::torn;
      return index < prefix_ ? Fate::kept : Fate::dropped;
    case CrashPolicy::independent: {
      const std::uint64_t draw = random_.draw(path_, "disk.crash.operation", ordinal) % 4;
      if (draw == 0) return Fate::torn;
      return draw == 1 ? Fate::dropped : Fate::kept;
    }
    case CrashPolicy::drawn:
      break;
  }
  ASSERT(false, "a drawn policy is resolved before fates are asked for");
}

bool Fates::keeps_sector(std::uint64_t ordinal, std::uint64_t sector) const {
  return (random_.draw(combine64(path_, ordinal), "disk.crash.sector", sector) & 1) != 0;
}

bool Fates::keeps_size(std::uint64_t ordinal) const {
  return (random_.draw(path_, "disk.crash.size", ordinal) & 1) != 0;
}

}  // namespace holdfast::sim
