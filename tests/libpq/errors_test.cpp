// Each row of postgres.md §6 gives the class of failure that the engine branches on.
#include "core/production/libpq/errors.hpp"

#include <gtest/gtest.h>

#include "core/production/libpq/url.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;

struct Row {
  ServerFailure failure;
  DatabaseActivity activity;
  DatabaseFailure kind;
  std::string message;  // empty: the server's
};

TEST(Errors, classifies_what_the_server_says) {
  const DatabaseActivity connecting = DatabaseActivity::connecting;
  const DatabaseActivity replicating = DatabaseActivity::replicating;
  const DatabaseActivity querying = DatabaseActivity::querying;
  const Row rows[] = {
      {{"ERROR", "55000", "logical decoding requires wal_level >= logical", ""},
       replicating,
       DatabaseFailure::configuration,
       "Electric requires wal_level >= logical. See "
       "https://electric-sql.com/docs/guides/deployment#_1-running-postgres"},
      {{"ERROR", "55000", "logical decoding requires \"wal_level\" >= \"logical\"", ""},
       replicating,
       DatabaseFailure::configuration,
       "Electric requires wal_level >= logical. See "
       "https://electric-sql.com/docs/guides/deployment#_1-running-postgres"},
      {{"ERROR", "55000", "cannot read from logical replication slot \"s\"",
        "This slot has been invalidated because it exceeded the maximum reserved size."},
       replicating,
       DatabaseFailure::slot_invalidated,
       "Couldn't start replication: slot has been "
       "invalidated because it exceeded the maximum reserved size. The service lagged behind, or "
       "max_slot_wal_keep_size is too small for the write load; raise it in the database's "
       "configuration."},
      {{"ERROR", "55000", "can no longer access replication slot \"s\"",
        "This replication slot has been invalidated due to \"wal_removed\"."},
       replicating,
       DatabaseFailure::slot_invalidated,
       "Couldn't start replication: slot has been invalidated with reason \"wal_removed\"."},
      {{"ERROR", "58P01", "requested WAL segment 0001 has already been removed", ""},
       replicating,
       DatabaseFailure::slot_invalidated,
       ""},
      {{"ERROR", "42704", "replication slot \"s\" does not exist", ""},
       replicating,
       DatabaseFailure::slot_invalidated,
       ""},
      {{"ERROR", "55006", "replication slot \"s\" is active for PID 1", ""},
       replicating,
       DatabaseFailure::slot_active,
       "Replication slot already in use by another database connection, possibly external to "
       "Electric."},
      {{"FATAL", "42501", "permission denied to start WAL sender",
        "Only roles with the REPLICATION attribute may start a WAL sender process."},
       connecting,
       DatabaseFailure::configuration,
       "User does not have the REPLICATION attribute. See "
       "https://electric-sql.com/docs/guides/deployment#_1-running-postgres"},
      {{"FATAL", "28P01", "password authentication failed for user \"x\"", ""},
       connecting,
       DatabaseFailure::authentication,
       ""},
      {{"FATAL", "28000", "branch is gone", ""}, connecting, DatabaseFailure::connection, ""},
      {{"FATAL", "28000", "role \"x\" does not exist", ""},
       connecting,
       DatabaseFailure::authentication,
       ""},
      {{"FATAL", "28000",
        "no pg_hba.conf entry for host \"1.2.3.4\", user \"x\", database \"y\", no encryption", ""},
       connecting,
       DatabaseFailure::authentication,
       "Connection refused: server requires SSL/TLS but the client connected without encryption "
       "(no pg_hba.conf entry for host \"1.2.3.4\", user \"x\", database \"y\", no encryption)"},
      {{"FATAL", "28000", "no pg_hba.conf entry for host \"h\", user \"x\", SSL encryption", ""},
       connecting,
       DatabaseFailure::authentication,
       "Connection rejected: no pg_hba.conf entry for host \"h\", user \"x\", SSL encryption"},
      {{"FATAL", "57P01", "terminating connection", ""}, querying, DatabaseFailure::connection, ""},
      {{"FATAL", "57P03", "the database system is starting up", ""},
       connecting,
       DatabaseFailure::connection,
       ""},
      {{"FATAL", "53300", "sorry, too many clients already", ""},
       connecting,
       DatabaseFailure::connection,
       ""},
      {{"FATAL", "08006", "gone", ""}, querying, DatabaseFailure::connection, ""},
      {{"FATAL", "08P01", "server conn crashed?", ""},
       querying,
       DatabaseFailure::connection,
       "Server connection crashed"},
      {{"ERROR", "57014", "canceling statement due to user request", ""},
       querying,
       DatabaseFailure::query,
       ""},
      {{"ERROR", "57014", "canceling statement due to statement timeout", ""},
       querying,
       DatabaseFailure::timeout,
       ""},
      {{"ERROR", "57014", "canceling statement due to statement timeout", ""},
       DatabaseActivity::waiting_for_lock,
       DatabaseFailure::lock_timeout,
       ""},
      {{"ERROR", "55P03", "canceling statement due to lock timeout", ""},
       querying,
       DatabaseFailure::lock_timeout,
       ""},
      {{"ERROR", "42704", "publication \"p\" does not exist", ""},
       replicating,
       DatabaseFailure::no_publication,
       ""},
      {{"ERROR", "42704", "Publikation »p« existiert nicht", ""},
       DatabaseActivity::streaming,
       DatabaseFailure::no_publication,
       ""},
      {{"ERROR", "XX000", "cache lookup failed for publication 16400", ""},
       DatabaseActivity::streaming,
       DatabaseFailure::no_publication,
       ""},
      {{"ERROR", "42P01", "relation \"x\" does not exist", ""},
       querying,
       DatabaseFailure::undefined_object,
       ""},
      {{"ERROR", "42703", "column \"x\" does not exist", ""},
       querying,
       DatabaseFailure::undefined_object,
       ""},
      {{"ERROR", "42501", "permission denied for table items", ""},
       querying,
       DatabaseFailure::privilege,
       ""},
      {{"ERROR", "53400", "all replication slots are in use", ""},
       replicating,
       DatabaseFailure::configuration,
       ""},
      {{"FATAL", "3D000", "database \"x\" does not exist", ""},
       connecting,
       DatabaseFailure::authentication,
       ""},
      {{"FATAL", "XX000", "database \"x\" does not exist", ""},
       connecting,
       DatabaseFailure::authentication,
       ""},
      {{"FATAL", "XX000", "Your project has exceeded the data transfer quota. Upgrade", ""},
       connecting,
       DatabaseFailure::authentication,
       ""},
      {{"FATAL", "XX000",
        "remaining connection slots are reserved for roles with the SUPERUSER "
        "attribute",
        ""},
       connecting,
       DatabaseFailure::connection,
       ""},
      {{"ERROR", "42601", "syntax error", ""}, replicating, DatabaseFailure::query, ""},
      {{"ERROR", "22012", "division by zero", ""}, querying, DatabaseFailure::query, ""},
      {{"ERROR", "53100", "could not extend file", ""},
       replicating,
       DatabaseFailure::connection,
       ""},
      {{"ERROR", "XX000", "never seen", ""}, connecting, DatabaseFailure::connection, ""},
  };
  for (const Row& row : rows) {
    const env::DatabaseError error = classify(row.failure, row.activity);
    EXPECT_EQ(error.kind, row.kind) << row.failure.message;
    EXPECT_EQ(error.message, row.message.empty() ? row.failure.message : row.message);
    EXPECT_EQ(error.sqlstate, row.failure.sqlstate);
  }
}

TEST(Errors, classifies_what_only_libpq_says) {
  const struct {
    const char* text;
    DatabaseFailure kind;
    const char* message;
  } rows[] = {
      {"could not translate host name \"h\" to address: Name or service not known\n",
       DatabaseFailure::configuration, "domain does not exist: h"},
      {"connection to server at \"h\" (1.2.3.4), port 5 failed: Connection refused\n\tIs it?\n",
       DatabaseFailure::connection, "connection refused while trying to connect to h:5"},
      {"timeout expired", DatabaseFailure::connection,
       "connection timed out while trying to connect to h:5"},
      {"server closed the connection unexpectedly\n\tThis probably means\n",
       DatabaseFailure::connection, "connection closed while connecting to the database"},
      {"SSL error: certificate verify failed\n", DatabaseFailure::configuration,
       "SSL connection failed to verify server certificate: SSL error: certificate verify failed"},
      {"root certificate file \"/x\" does not exist\n", DatabaseFailure::configuration,
       "SSL connection failed to verify server certificate: root certificate file \"/x\" does not "
       "exist"},
      {"server does not support SSL, but SSL was required\n", DatabaseFailure::configuration,
       "Database server not configured to accept SSL connections"},
      {"something else\n", DatabaseFailure::connection, "something else"},
  };
  for (const auto& row : rows) {
    const env::DatabaseError error =
        classify_transport(row.text, DatabaseActivity::connecting, "h", "5");
    EXPECT_EQ(error.kind, row.kind) << row.text;
    EXPECT_EQ(error.message, row.message);
  }
  EXPECT_EQ(classify_transport("server closed the connection unexpectedly\n",
                               DatabaseActivity::replicating, "h", "5")
                .message,
            "connection closed while talking to the database");
}

TEST(Errors, finds_the_servers_answer_in_a_failed_connection_attempt) {
  const ServerFailure found = parse_connect_failure(
      "connection to server at \"h\", port 5432 failed: FATAL:  42501: permission denied\n"
      "DETAIL:  Only roles with it.\nLOCATION:  InitPostgres, postinit.c:872\n");
  EXPECT_EQ(found.severity, "FATAL");
  EXPECT_EQ(found.sqlstate, "42501");
  EXPECT_EQ(found.message, "permission denied");
  EXPECT_EQ(found.detail, "Only roles with it.");
  EXPECT_EQ(parse_connect_failure("Connection refused\n").sqlstate, "");
  EXPECT_EQ(parse_connect_failure("FATAL:  4250").sqlstate, "");
  EXPECT_EQ(parse_connect_failure("FATAL:  no code: here").sqlstate, "");
}

TEST(Url, keeps_only_what_libpq_should_see) {
  EXPECT_EQ(libpq_url("postgresql://u:p%40@h:1/d"), "postgresql://u:p%40@h:1/d");
  EXPECT_EQ(libpq_url("postgres://u@h/d?pgbouncer=true&sslmode=require&x=%20"),
            "postgres://u@h/d?sslmode=require");
  EXPECT_EQ(libpq_url("postgres://u@h/d?sslmode=allow"), "postgres://u@h/d?sslmode=prefer");
  EXPECT_EQ(libpq_url("postgres://u@h/d?"), "postgres://u@h/d");
  EXPECT_EQ(libpq_url("host=/tmp dbname=x"), "host=/tmp dbname=x");
}

}  // namespace
}  // namespace holdfast::production
