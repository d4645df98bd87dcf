// What a power loss, or a failed sync, does to each operation that was not yet synced. All choices
// are keyed draws: (file, site, ordinal of the operation), so that the fate of one operation does
// not depend on how many others were drawn before it.
#pragma once

#include <cstdint>

#include "core/env/random.hpp"

namespace holdfast::sim {

/// `drawn` picks one of the others per file and directory, so that the simple outcomes, where most
/// bugs are, stay frequent however many operations were pending.
enum class CrashPolicy : std::uint8_t {
  drawn,
  lose_all,
  keep_all,
  keep_prefix,  ///< in order up to a drawn point; the operation at that point is torn
  independent,  ///< each operation is kept, dropped or torn on its own
};

enum class Fate : std::uint8_t { kept, dropped, torn };

class Fates {
 public:
  /// `path` names the file and the crash; `operations` is how many are pending.
  Fates(env::Random& random, std::uint64_t path, CrashPolicy policy, std::uint64_t operations);

  /// `index` counts from 0 in the list of pending operations, `ordinal` over the file's life.
  Fate of(std::uint64_t index, std::uint64_t ordinal) const;
  /// For a torn write: whether this sector reached the platter.
  bool keeps_sector(std::uint64_t ordinal, std::uint64_t sector) const;
  /// For a torn write that made the file longer: whether the new length reached the platter.
  bool keeps_size(std::uint64_t ordinal) const;

 private:
  env::Random& random_;
  std::uint64_t path_;
  CrashPolicy policy_;
  std::uint64_t prefix_ = 0;
};

}  // namespace holdfast::sim
