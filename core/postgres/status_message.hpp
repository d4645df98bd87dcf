// The standby status update that a replication client sends: 'r' (postgres.md §9.1). Values only.
#pragma once

#include <string>

#include "core/base/time.hpp"
#include "core/postgres/lsn.hpp"

namespace holdfast::postgres {

/// The 34 bytes of a CopyData payload. `received` and `flushed` are first bytes not yet safe
/// (§9.4); `flushed` is also told as applied. No reply is requested.
std::string encode_status(Lsn received, Lsn flushed, WallTime now);

}  // namespace holdfast::postgres
