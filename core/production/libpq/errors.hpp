// What a failure reported by libpq or the server means to the engine (postgres.md §6). Pure
// functions of texts and codes, so that each row of the table is a test without a server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/env/database.hpp"

namespace holdfast::production {

/// What was going on. The same error means different things: an unknown one ends a connection
/// attempt or a stream, which is tried again, but is the answer to a query.
enum class DatabaseActivity : std::uint8_t {
  connecting,
  waiting_for_lock,
  replicating,  ///< setting up
  streaming,
  querying
};

/// An ErrorResponse, field by field; a field that was not sent is empty.
struct ServerFailure {
  std::string severity;  ///< not localized: ERROR, FATAL, PANIC
  std::string sqlstate;
  std::string message;
  std::string detail;
};

env::DatabaseError classify(const ServerFailure& failure, DatabaseActivity activity);

/// A failure without an ErrorResponse: sockets, name resolution, TLS. `text` is libpq's message.
env::DatabaseError classify_transport(std::string_view text, DatabaseActivity activity,
                                      std::string_view host, std::string_view port);

/// The ErrorResponse inside the text of a failed connection attempt, whose verbosity must have been
/// PQERRORS_VERBOSE: libpq offers no fields there. Without one, sqlstate is empty.
ServerFailure parse_connect_failure(std::string_view text);

}  // namespace holdfast::production
