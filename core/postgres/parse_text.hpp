// Reads the texts in which Postgres prints positions and snapshots. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/postgres/lsn.hpp"

namespace holdfast::postgres {

/// "16/B374D848"; nullopt if it is nothing of the kind.
std::optional<Lsn> parse_lsn(std::string_view text);

/// pg_snapshot's "xmin:xmax:xip,xip,…"; insert_lsn stays zero. nullopt if it is nothing of the kind
/// or its ids are not ascending from xmin to below xmax.
std::optional<Snapshot> parse_snapshot(std::string_view text);

}  // namespace holdfast::postgres
