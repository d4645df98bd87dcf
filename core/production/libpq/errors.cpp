#include "core/production/libpq/errors.hpp"

#include <algorithm>

namespace holdfast::production {
namespace {

using env::DatabaseError;
using env::DatabaseFailure;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// What an error that no row names means: connections and streams are tried again.
DatabaseFailure unknown(DatabaseActivity activity) {
  return activity == DatabaseActivity::querying ? DatabaseFailure::query
                                                : DatabaseFailure::connection;
}

// -- the texts of postgres.md §6 that are not the server's own ------------------------------------

constexpr std::string_view k_deployment_guide =
    "See https://electric-sql.com/docs/guides/deployment#_1-running-postgres";

std::string slot_too_old() {
  return "Couldn't start replication: slot has been invalidated because it exceeded the maximum "
         "reserved size. The service lagged behind, or max_slot_wal_keep_size is too small for the "
         "write load; raise it in the database's configuration.";
}

// -- groups of rows; each answers whether it knows the failure ------------------------------------

bool classify_slot(const ServerFailure& f, DatabaseError& out) {
  constexpr std::string_view k_reason = "This replication slot has been invalidated due to ";
  if (f.sqlstate == "55000" &&
      f.detail == "This slot has been invalidated because it exceeded the maximum reserved size.") {
    out.kind = DatabaseFailure::slot_invalidated;
    out.message = slot_too_old();
  } else if (f.sqlstate == "55000" &&
             f.message.starts_with("can no longer access replication slot")) {
    out.kind = DatabaseFailure::slot_invalidated;
    const std::string reason =
        f.detail.starts_with(k_reason) ? f.detail.substr(k_reason.size()) : f.detail;
    out.message = "Couldn't start replication: slot has been invalidated with reason " + reason;
  } else if (f.sqlstate == "58P01" && contains(f.message, "WAL segment") &&
             contains(f.message, "has already been removed")) {
    out.kind = DatabaseFailure::slot_invalidated;
  } else if (f.sqlstate == "42704" && f.message.starts_with("replication slot ")) {
    out.kind = DatabaseFailure::slot_invalidated;
  } else if (f.sqlstate == "55006" && f.message.starts_with("replication slot ")) {
    out.kind = DatabaseFailure::slot_active;
    out.message =
        "Replication slot already in use by another database connection, possibly external to "
        "Electric.";
  } else {
    return false;
  }
  return true;
}

bool classify_configuration(const ServerFailure& f, DatabaseError& out) {
  if (f.sqlstate == "55000" && contains(f.message, "logical decoding requires ") &&
      contains(f.message, "wal_level")) {
    out.message = "Electric requires wal_level >= logical. ";
    out.message += k_deployment_guide;
  } else if (f.sqlstate == "42501" &&
             (contains(f.detail, "REPLICATION attribute") ||
              // PostgreSQL 14 and 15 say it in the message.
              contains(f.message, "must be superuser or replication role"))) {
    out.message = "User does not have the REPLICATION attribute. ";
    out.message += k_deployment_guide;
  } else if (f.sqlstate == "53400") {
    // All slots in use: nothing but another configuration or another owner helps.
  } else {
    return false;
  }
  out.kind = DatabaseFailure::configuration;
  return true;
}

bool classify_authentication(const ServerFailure& f, DatabaseError& out) {
  if (f.sqlstate == "28P01" || f.sqlstate == "3D000") {
    out.kind = DatabaseFailure::authentication;
    return true;
  }
  if (f.sqlstate == "28000") {
    const bool no_entry = f.message.starts_with("no pg_hba.conf entry for ");
    if (no_entry && f.message.ends_with(", no encryption")) {
      out.kind = DatabaseFailure::authentication;
      out.message =
          "Connection refused: server requires SSL/TLS but the client connected without "
          "encryption (" +
          f.message + ")";
    } else if (no_entry || f.message.starts_with("pg_hba.conf rejects ")) {
      out.kind = DatabaseFailure::authentication;
      out.message = "Connection rejected: " + f.message;
    } else if (f.message.starts_with("role ")) {
      out.kind = DatabaseFailure::authentication;
    } else {
      out.kind = DatabaseFailure::connection;  // "branch …", and what nobody has seen yet
    }
    return true;
  }
  if (f.sqlstate != "XX000") return false;
  // Hosted providers and poolers put their own refusals into XX000.
  constexpr std::string_view k_final[] = {
      "The requested endpoint could not be found, or you don't have access to it",
      "Your account or project has exceeded the compute time quota",
      "Your project has exceeded the data transfer quota.",
      "password authentication failed for user ",
  };
  constexpr std::string_view k_passing[] = {
      "remaining connection slots are reserved for ",
      "server login has been failing, cached error: ",
      "Couldn't connect to compute node",
  };
  const auto starts = [&](std::string_view text) { return f.message.starts_with(text); };
  if (std::any_of(std::begin(k_final), std::end(k_final), starts) ||
      (f.message.starts_with("database ") && f.message.ends_with(" does not exist"))) {
    out.kind = DatabaseFailure::authentication;
    return true;
  }
  if (std::any_of(std::begin(k_passing), std::end(k_passing), starts)) {
    out.kind = DatabaseFailure::connection;
    return true;
  }
  return false;
}

/// While a change is decoded the server's own words do not matter, which it may say in any
/// language. A publication that was made again since may be known by its name alone, and then lacks
/// a row.
bool lacks_publication(const ServerFailure& f, DatabaseActivity activity) {
  if (f.sqlstate == "XX000") return f.message.starts_with("cache lookup failed for publication ");
  return f.sqlstate == "42704" &&
         (activity == DatabaseActivity::streaming || f.message.starts_with("publication "));
}

bool classify_cancelled(const ServerFailure& f, DatabaseActivity activity, DatabaseError& out) {
  if (f.sqlstate == "55P03") {
    out.kind = DatabaseFailure::lock_timeout;
  } else if (f.sqlstate == "57014" && activity == DatabaseActivity::waiting_for_lock) {
    out.kind = DatabaseFailure::lock_timeout;
  } else if (f.sqlstate == "57014" && contains(f.message, "timeout")) {
    out.kind = DatabaseFailure::timeout;
  } else {
    return false;
  }
  return true;
}

}  // namespace

DatabaseError classify(const ServerFailure& f, DatabaseActivity activity) {
  DatabaseError out{unknown(activity), f.sqlstate, f.message};
  if (classify_slot(f, out) || classify_configuration(f, out) || classify_authentication(f, out) ||
      classify_cancelled(f, activity, out))
    return out;
  const std::string_view group = std::string_view(f.sqlstate).substr(0, 2);
  if (lacks_publication(f, activity)) {
    out.kind = DatabaseFailure::no_publication;
  } else if (f.sqlstate == "42501") {
    out.kind = DatabaseFailure::privilege;
  } else if (f.sqlstate == "42P01" || f.sqlstate == "42703" || f.sqlstate == "3F000" ||
             f.sqlstate == "42883" || f.sqlstate == "42704") {
    out.kind = DatabaseFailure::undefined_object;
  } else if (f.sqlstate == "42601") {
    out.kind = DatabaseFailure::query;
  } else if (group == "08" || f.sqlstate == "53300" || f.sqlstate.starts_with("57P") ||
             f.severity == "FATAL" || f.severity == "PANIC") {
    out.kind = DatabaseFailure::connection;  // the server ends the session, or is about to
  }
  if (f.sqlstate == "08P01" && contains(f.message, "server conn crashed?"))
    out.message = "Server connection crashed";
  return out;
}

DatabaseError classify_transport(std::string_view text, DatabaseActivity activity,
                                 std::string_view host, std::string_view port) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const std::string place = std::string(host) + ":" + std::string(port);
  DatabaseError out{DatabaseFailure::connection, {}, std::string(text)};
  if (contains(text, "could not translate host name")) {
    out.kind = DatabaseFailure::configuration;  // not retried: §6.1
    out.message = "domain does not exist: " + std::string(host);
  } else if (contains(text, "certificate") || contains(text, "could not read root certificate")) {
    out.kind = DatabaseFailure::configuration;
    out.message = "SSL connection failed to verify server certificate: " + std::string(text);
  } else if (contains(text, "server does not support SSL")) {
    out.kind = DatabaseFailure::configuration;
    out.message = "Database server not configured to accept SSL connections";
  } else if (contains(text, "Connection refused")) {
    out.message = "connection refused while trying to connect to " + place;
  } else if (contains(text, "timeout expired") || contains(text, "timed out")) {
    out.message = activity == DatabaseActivity::connecting
                      ? "connection timed out while trying to connect to " + place
                      : "connection timed out";
  } else if (contains(text, "server closed the connection unexpectedly") ||
             contains(text, "SSL connection has been closed unexpectedly") ||
             contains(text, "Connection reset by peer")) {
    out.message = activity == DatabaseActivity::connecting
                      ? "connection closed while connecting to the database"
                      : "connection closed while talking to the database";
  }
  return out;
}

ServerFailure parse_connect_failure(std::string_view text) {
  // …FATAL:  28P01: password authentication failed for user "x"\nDETAIL:  …\nLOCATION:  …
  ServerFailure out;
  for (const std::string_view severity : {"FATAL", "ERROR", "PANIC"}) {
    const std::size_t at = text.rfind(std::string(severity) + ":  ");
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + severity.size() + 3);
    const bool coded = rest.size() > 7 && rest.substr(5, 2) == ": " &&
                       std::all_of(rest.begin(), rest.begin() + 5, [](char c) {
                         return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                       });
    if (!coded) continue;
    out.severity = severity;
    out.sqlstate = rest.substr(0, 5);
    const std::string_view after = rest.substr(7);
    out.message = after.substr(0, after.find('\n'));
    const std::size_t detail = after.find("\nDETAIL:  ");
    if (detail != std::string_view::npos) {
      const std::string_view from = after.substr(detail + 10);
      out.detail = from.substr(0, from.find('\n'));
    }
    return out;
  }
  return out;
}

}  // namespace holdfast::production
