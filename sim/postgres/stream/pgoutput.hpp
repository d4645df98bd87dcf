// The bytes of pgoutput, protocol version 1, and of the CopyData headers around them (postgres.md
// §9.1, §10). Written from the protocol's description; the decoder under test is the engine's own.
#pragma once

#include <cstdint>
#include <string>

#include "sim/postgres/storage/transactions.hpp"

namespace holdfast::sim::postgres {

std::string encode_begin(const Transaction& transaction);
std::string encode_commit(const Transaction& transaction);
std::string encode_relation(const TableVersion& table);
/// Insert, update or delete, with as much of the old row as the table's replica identity asks for.
std::string encode_change(const LoggedChange& change);
/// REQUIRES: at least one oid.
std::string encode_truncate(const std::vector<Oid>& tables);

/// 'w': one pgoutput message on its way.
std::string wrap_data(Lsn position, std::int64_t clock_us, const std::string& message);
/// 'k'.
enum class Reply : std::uint8_t { not_needed, requested };
std::string make_keepalive(Lsn wal_end, std::int64_t clock_us, Reply reply);

}  // namespace holdfast::sim::postgres
