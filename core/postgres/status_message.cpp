#include "core/postgres/status_message.hpp"

namespace holdfast::postgres {
namespace {

// From 1970-01-01, where WallTime starts, to 2000-01-01, where Postgres' clock does.
constexpr std::int64_t k_postgres_epoch_us = 946'684'800'000'000;

void append_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string encode_status(Lsn received, Lsn flushed, WallTime now) {
  std::string out;
  out.reserve(34);
  out.push_back('r');
  append_u64(out, received.value);
  append_u64(out, flushed.value);
  append_u64(out, flushed.value);
  append_u64(out, static_cast<std::uint64_t>(now.unix_us - k_postgres_epoch_us));
  out.push_back(0);
  return out;
}

}  // namespace holdfast::postgres
