#include "tests/libpq/fixture.hpp"

#include <libpq-fe.h>

#include <thread>

namespace holdfast::production {

tools::ThrowawayPostgres& server() {
  // A test program may have a static; the engine may not. The settings keep the server from writing
  // WAL of its own accord, which the tests of positions would see.
  static tools::ThrowawayPostgres instance({"bgwriter_delay = 10s", "checkpoint_timeout = 1h",
                                            "max_replication_slots = 50", "max_wal_senders = 50"});
  return instance;
}

LibpqTest::LibpqTest() {
  static int number = 0;
  database_ = "test" + std::to_string(++number);
  slot_ = "slot_" + database_;
  server().execute("CREATE DATABASE " + database_);
}

LibpqTest::~LibpqTest() {
  server().execute(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + database_ +
      "'");
  server().execute(
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
      " WHERE database = '" +
      database_ + "'");
  server().execute("DROP DATABASE " + database_);
}

ConnectionSettings LibpqTest::settings(const std::string& user) const {
  ConnectionSettings out;
  out.url = server().url(database_, user);
  return out;
}

std::unique_ptr<BlockingQuery> LibpqTest::query_session(const std::string& user) const {
  return query_session(settings(user));
}

std::unique_ptr<BlockingQuery> LibpqTest::query_session(const ConnectionSettings& settings) {
  return must(BlockingQuery::open(settings, std::make_shared<Interrupt>()));
}

std::unique_ptr<BlockingReplication> LibpqTest::replication_session() const {
  auto session = must(BlockingReplication::open(settings(), std::make_shared<Interrupt>()));
  must(session->settings());
  return session;
}

std::unique_ptr<BlockingReplication> LibpqTest::streaming_session() const {
  auto session = replication_session();
  must(session->ensure_publication(publication_));
  must(session->ensure_slot(slot_));
  must(session->start_streaming(slot_, publication_));
  return session;
}

std::vector<std::string> LibpqTest::rows(BlockingQuery& session, const env::ShapeQuery& query) {
  must(session.start(query));
  std::vector<std::string> out;
  for (;;) {
    const postgres::RowBatch batch = must(session.next());
    if (batch.rows() == 0) return out;
    for (std::size_t r = 0; r < batch.rows(); ++r) {
      std::string text;
      for (std::size_t c = 0; c < batch.columns(); ++c)
        text += (c > 0 ? "|" : "") + std::string(batch.cell(r, c).value_or("NULL"));
      out.push_back(std::move(text));
    }
  }
}

void LibpqTest::wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ADD_FAILURE() << "ten seconds were not enough";
}

RawSession::RawSession(const std::string& url) : connection_(PQconnectdb(url.c_str())) {}

RawSession::~RawSession() {
  PQfinish(connection_);
}

void RawSession::run(const std::string& sql) {
  PGresult* result = PQexec(connection_, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      << sql << ": " << PQerrorMessage(connection_);
  PQclear(result);
}

std::string RawSession::refusal(const std::string& sql) {
  PGresult* result = PQexec(connection_, sql.c_str());
  std::string error = PQresultErrorMessage(result);
  EXPECT_NE(error, "") << sql << " was to fail";
  PQclear(result);
  return error;
}

std::vector<postgres::StreamEvent> StreamReader::step() {
  std::vector<postgres::StreamEvent> events;
  for (std::string& payload : must(session_.receive(deadline_after(std::chrono::seconds(10))))) {
    auto event = decoder_.feed(std::move(payload));
    if (!event.ok()) {
      ADD_FAILURE() << event.error().message;
      return events;
    }
    if (*event) events.push_back(std::move(**event));
  }
  return events;
}

std::vector<postgres::Transaction> StreamReader::transactions(std::size_t count) {
  std::vector<postgres::Transaction> out;
  const Deadline limit = deadline_after(std::chrono::seconds(10));
  while (out.size() < count && std::chrono::steady_clock::now() < *limit)
    for (postgres::StreamEvent& event : step()) {
      if (auto* transaction = std::get_if<postgres::Transaction>(&event))
        out.push_back(std::move(*transaction));
      if (auto* relation = std::get_if<postgres::RelationChanged>(&event))
        relations.push_back(std::move(*relation));
    }
  EXPECT_GE(out.size(), count);
  out.resize(count);
  return out;
}

postgres::Lsn StreamReader::wait_for_keepalive_at(postgres::Lsn at_least) {
  const Deadline limit = deadline_after(std::chrono::seconds(10));
  while (std::chrono::steady_clock::now() < *limit)
    for (const postgres::StreamEvent& event : step()) {
      EXPECT_FALSE(std::holds_alternative<postgres::Transaction>(event));
      const auto* keepalive = std::get_if<postgres::Keepalive>(&event);
      if (keepalive != nullptr && keepalive->wal_end >= at_least) return keepalive->wal_end;
    }
  ADD_FAILURE() << "no keepalive beyond " << at_least.to_string();
  return {};
}

namespace {

std::string row(const postgres::Tuple& tuple) {
  std::string out = "(";
  for (const auto& cell : tuple)
    out += (out.size() > 1 ? "," : "") + (cell ? std::string(*cell) : std::string("NULL"));
  return out + ")";
}

}  // namespace

std::string to_text(const postgres::Change& change) {
  const std::string name = change.relation->name.schema + "." + change.relation->name.table;
  switch (change.kind) {
    case postgres::ChangeKind::insert:
      return "insert " + name + " " + row(change.new_tuple);
    case postgres::ChangeKind::update:
      return "update " + name + " " + row(change.old_tuple) + " -> " + row(change.new_tuple);
    case postgres::ChangeKind::erase:
      return "delete " + name + " " + row(change.old_tuple);
    case postgres::ChangeKind::truncate:
      return "truncate " + name;
    case postgres::ChangeKind::partial:
      return "partial " + name;
  }
  return "?";
}

std::vector<std::string> to_text(const std::vector<postgres::Transaction>& transactions) {
  std::vector<std::string> out;
  for (const postgres::Transaction& transaction : transactions)
    for (const postgres::Change& change : transaction.changes) out.push_back(to_text(change));
  return out;
}

}  // namespace holdfast::production
