// The database file: its tables, its identification, and the one row of state. formats.md §2 says
// what each column means.
#pragma once

#include "core/storage/connection.hpp"

namespace holdfast::storage {

/// Creates the tables in a fresh file; refuses a file that is something else or of another version.
StoreResult<void> create_schema(Connection& connection);
/// The same check without creating. A file without tables: not_found, "not created yet".
StoreResult<void> check_schema(Connection& connection);

inline constexpr const char* k_database_name = "store.db";
std::string database_path(const std::string& directory);

/// The row of table `state`.
struct StoreState {
  std::uint64_t epoch = 0;
  std::uint64_t applied = 0;
  std::uint64_t confirmable = 0;
  std::uint64_t sealed_row = 0;   ///< journal rows up to here are in segments
  std::uint64_t sealed_item = 0;  ///< item rows up to here are in segments
  std::uint64_t next_shape = 1;
  std::uint64_t handle_base = 0;  ///< added to a shape's id it gives the counter of its handle
  std::string system_identity;
  std::string owner;  ///< StoreOptions::owner of the first take-over; empty: none yet
};

/// Fails with `foreign` if the store belongs to somebody else.
StoreResult<void> check_owner(const Connection& connection, const StoreState& state,
                              const StoreOptions& options);

/// Whether a record of this transaction may be seen. Offsets 1_n are the server's own additions to
/// a shape without changes (http-api.md §6.4), of no source transaction.
constexpr bool is_visible(std::uint64_t tx, std::uint64_t applied) {
  return tx <= applied || tx <= 1;
}

class StateReader {
 public:
  explicit StateReader(Connection& connection) : connection_(connection) {}
  StoreResult<StoreState> read();

 private:
  Connection& connection_;
  Statement select_{
      "SELECT epoch, applied, confirmable, sealed_row, sealed_item, next_shape, handle_base, "
      "system_identity, owner FROM state WHERE id=1"};
};

}  // namespace holdfast::storage
