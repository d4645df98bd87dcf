// What the tests of core/production/libpq share: one server for the program, a database for each
// test, sessions that must open, and what streams from a slot decoded.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/postgres/decoder.hpp"
#include "core/production/libpq/blocking_query.hpp"
#include "core/production/libpq/blocking_replication.hpp"
#include "tools/postgres/throwaway_postgres.hpp"

namespace holdfast::production {

/// Started at first use, stopped when the program ends.
tools::ThrowawayPostgres& server();

class LibpqTest : public ::testing::Test {
 protected:
  LibpqTest();
  /// Ends every session of the test's database, drops its slots and the database.
  ~LibpqTest() override;

  std::string sql(const std::string& text) const { return server().execute(text, database_); }
  ConnectionSettings settings(const std::string& user = "postgres") const;
  std::unique_ptr<BlockingQuery> query_session(const std::string& user = "postgres") const;
  static std::unique_ptr<BlockingQuery> query_session(const ConnectionSettings& settings);
  /// Connected and asked for its settings; nothing else.
  std::unique_ptr<BlockingReplication> replication_session() const;
  /// Publication, slot, stream.
  std::unique_ptr<BlockingReplication> streaming_session() const;
  /// All rows of a query, a row a text, cells separated by '|', NULL as "NULL".
  static std::vector<std::string> rows(BlockingQuery& session, const env::ShapeQuery& query);
  static void wait_for(const std::function<bool()>& condition);

  std::string database_;
  std::string slot_;
  std::string publication_ = "pub";
};

/// A plain connection that keeps its transaction open between statements, each of which must work.
class RawSession {
 public:
  explicit RawSession(const std::string& url);
  ~RawSession();
  RawSession(const RawSession&) = delete;
  RawSession& operator=(const RawSession&) = delete;
  void run(const std::string& sql);
  /// Of a statement that must fail: its error.
  std::string refusal(const std::string& sql);

 private:
  pg_conn* connection_;
};

template <class T>
T must(env::DatabaseResult<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.error().sqlstate << " " << result.error().message;
    std::abort();
  }
  return std::move(*result);
}
inline void must(env::DatabaseResult<void> result) {
  ASSERT_TRUE(result.ok()) << result.error().sqlstate << " " << result.error().message;
}

/// Reads events from a session until `count` transactions have come or 10 s have passed.
class StreamReader {
 public:
  explicit StreamReader(BlockingReplication& session) : session_(session) {}
  /// The next `count`; what came with the last of them is dropped.
  std::vector<postgres::Transaction> transactions(std::size_t count);
  /// The next keepalive while no transaction comes, asking the server by waiting for it.
  postgres::Lsn wait_for_keepalive_at(postgres::Lsn at_least);
  std::vector<postgres::RelationChanged> relations;

 private:
  std::vector<postgres::StreamEvent> step();
  BlockingReplication& session_;
  postgres::StreamDecoder decoder_;
};

/// "insert public.items (1,NULL)", "update public.items (1,a) -> (1,b)", …
std::string to_text(const postgres::Change& change);
std::vector<std::string> to_text(const std::vector<postgres::Transaction>& transactions);

}  // namespace holdfast::production
