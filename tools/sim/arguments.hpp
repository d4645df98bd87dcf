// Arguments that CLI11 cannot check by itself. Each fails with one sentence for whoever typed it.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.hpp"

namespace holdfast::tools {

struct Shard {
  unsigned number = 1;  ///< from 1
  unsigned of = 1;
};
/// "2/8" and nothing else.
Result<Shard> parse_shard(const std::string& text);

/// The first of the seeds that belong to a commit: the same for the same commit wherever it is
/// checked, others for the next one. `revision` is a full commit id, or anything that
/// `git rev-parse` knows in the working directory.
Result<std::uint64_t> first_seed_of_commit(const std::string& revision);

}  // namespace holdfast::tools
