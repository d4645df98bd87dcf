// What core/production/libpq asks a real Postgres, by the SQL texts that it makes, and what the
// engine's sessions with the model answer: the same. The server writes down what it was asked: a
// text of production that was not among it has not been compared.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/production/libpq/blocking_query.hpp"
#include "core/production/libpq/blocking_replication.hpp"
#include "tests/postgres_model/generate.hpp"
#include "tests/postgres_model/real_server.hpp"

namespace holdfast::test {
namespace {

using namespace sim::postgres;  // NOLINT: the test is about nothing else

using Lines = std::vector<std::string>;
const RelationName k_missing{"public", "no such"};

template <class T>
std::string told(const env::DatabaseResult<T>& result) {
  return result.ok() ? "done" : "error " + result.error().sqlstate;
}

void tell_relation(const postgres::RelationInfo& relation, Lines& lines) {
  lines.push_back(relation.replica_identity_full ? "full" : "not full");
  for (const auto& column : relation.columns)
    lines.push_back(column.name + ":" + column.type_name + "/" + std::to_string(column.type.value) +
                    "/" + std::to_string(column.type_modifier) + " key " +
                    std::to_string(column.key_position) + (column.not_null ? " not null" : ""));
}

template <class Session>
void tell_catalogue(Session& session, Lines& lines) {
  for (const RelationName& name : {wide_table().name, side_table().name, k_missing}) {
    const auto found = session.inspect(name);
    lines.push_back(name.table + " " + told(found) + (found.ok() && *found ? " found" : ""));
    if (!found.ok() || !*found) continue;
    tell_relation(**found, lines);
  }
}

template <class Session>
void tell_published(Session& session, Lines& lines) {
  const auto tables = session.published("pub");
  lines.push_back("published " + told(tables));
  Lines names;
  for (const env::PublishedTable& table : *tables) names.push_back(table.name.table);
  std::sort(names.begin(), names.end());
  lines.insert(lines.end(), names.begin(), names.end());
}

/// `leave(table)` takes the table out of the publication.
template <class Session, class Leave>
void tell_publications(Session& session, const Leave& leave, Lines& lines) {
  for (const RelationName& name : {wide_table().name, wide_table().name, side_table().name}) {
    const auto outcome = session.publish("pub", name);
    lines.push_back("publish " + told(outcome));
    if (outcome.ok()) lines.back() += *outcome == env::PublishOutcome::published ? " now" : "";
  }
  tell_published(session, lines);
  const auto published = session.published("pub").value();
  for (const env::PublishedTable& table : published)
    for (int i = 0; i < 2 && table.name == side_table().name; ++i)
      lines.push_back("unpublish " + told(leave(table)));
  tell_published(session, lines);
  for (const RelationName& name : {wide_table().name, side_table().name}) {
    const auto state = session.verify_published("pub", name);
    lines.push_back("verify " + told(state) + " " + std::to_string(static_cast<int>(*state)));
  }
}

/// An error of the query comes with its start or with its first rows: that is not told apart.
template <class Read>
void tell_rows(Read& read, const env::ShapeQuery& query, Lines& lines) {
  lines.push_back(query.condition);
  const auto started = read.start(query);
  if (!started.ok()) lines.push_back(told(started));
  if (!started.ok()) return;
  Lines rows;
  while (true) {
    const auto batch = read.next();
    if (!batch.ok()) lines.push_back(told(batch));
    if (!batch.ok() || batch->rows() == 0) break;
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      std::string& text = rows.emplace_back();
      for (std::size_t column = 0; column < batch->columns(); ++column)
        text += std::string(batch->cell(row, column).value_or("NULL")) + "|";
    }
  }
  std::sort(rows.begin(), rows.end());
  lines.insert(lines.end(), rows.begin(), rows.end());
}

template <class Session>
void tell_setup(Session& session, Lines& lines) {
  for (int i = 0; i < 2; ++i) {
    const auto created = session.ensure_publication("pub");
    lines.push_back("publication " + told(created) + (created.ok() && *created ? " created" : ""));
    const auto slot = session.ensure_slot("production");
    lines.push_back("slot " + told(slot) + (slot.ok() && slot->created ? " created" : ""));
  }
  lines.push_back("lock " + told(session.acquire_lock("production")));
  lines.push_back("identity " + told(session.identify_system()));
}

env::ShapeQuery query_of(const std::string& condition) {
  env::ShapeQuery query{wide_table().name, {}, condition};
  for (const Column& column : wide_table().columns) query.columns.push_back(column.name);
  return query;
}

const std::vector<env::ShapeQuery> k_queries{
    query_of(""), query_of("\"id\" < 7 AND \"t\" IS NOT NULL"), query_of("\"nosuch\" = 1")};

Lines tell_model(PostgresModel& model) {
  Lines lines;
  auto replication = model.database(0).connect_replication().value();
  tell_setup(*replication, lines);
  auto session = model.database(0).connect().value();
  tell_catalogue(*session, lines);
  tell_publications(
      *session, [&](const auto& table) { return session->unpublish("pub", table, "production"); },
      lines);
  tell_catalogue(*session, lines);
  for (const env::ShapeQuery& query : k_queries) {
    auto read = session->begin_snapshot(query.table).value();
    tell_rows(*read, query, lines);
  }
  auto read = session->begin_snapshot(wide_table().name).value();
  tell_relation(read->relation(), lines);
  lines.push_back("outlast " + told(read->outlast_crashes()));
  read.reset();
  lines.push_back("missing " + told(session->begin_snapshot(k_missing)));
  lines.push_back("snapshot " + told(session->current_snapshot()));
  lines.push_back("broken " + std::to_string(session->break_lock("production").value()));
  lines.push_back("stream " + told(replication->start_streaming("production", "pub")));
  auto successor = model.database(0).connect_replication().value();
  lines.push_back("stream " + told(successor->start_streaming("production", "pub")));
  return lines;
}

/// The model's answer is tests/postgres_model/streaming_test's.
void expect_wait_for_writers(production::ConnectionSettings settings) {
  RealConnection writer(settings.url);
  writer.must("BEGIN");
  writer.must("LOCK TABLE " + wide_table().name.table + " IN ROW EXCLUSIVE MODE");
  settings.statement_timeout = std::chrono::milliseconds(200);
  auto impatient =
      production::BlockingQuery::open(settings, std::make_shared<production::Interrupt>()).value();
  const auto state = impatient->verify_published("pub", wide_table().name);
  ASSERT_FALSE(state.ok());
  EXPECT_EQ(state.error().kind, env::DatabaseFailure::lock_timeout);
}

Lines tell_production(const std::string& url) {
  production::ConnectionSettings settings;
  settings.url = url;
  settings.lock_holder_grace = {};
  Lines lines;
  auto replication =
      production::BlockingReplication::open(settings, std::make_shared<production::Interrupt>())
          .value();
  EXPECT_TRUE(replication->settings().ok());
  tell_setup(*replication, lines);
  auto session =
      production::BlockingQuery::open(settings, std::make_shared<production::Interrupt>()).value();
  tell_catalogue(*session, lines);
  const std::vector<int> own = {replication->backend_pid()};
  tell_publications(
      *session,
      [&](const auto& table) { return session->unpublish("pub", table, "production", own); },
      lines);
  tell_catalogue(*session, lines);
  for (const env::ShapeQuery& query : k_queries) {
    EXPECT_TRUE(session->begin_snapshot(query.table).ok());
    tell_rows(*session, query, lines);
    session->end_snapshot();
  }
  expect_wait_for_writers(settings);
  // What a snapshot sees is not on the disk yet.
  RealConnection(url).must("SET synchronous_commit = off; CREATE TABLE aside AS SELECT 1 AS n");
  const auto begun = session->begin_snapshot(wide_table().name).value();
  tell_relation(begun.relation, lines);
  lines.push_back("outlast " + told(session->outlast_crashes(begun.snapshot.insert_lsn)));
  session->end_snapshot();
  lines.push_back("missing " + told(session->begin_snapshot(k_missing)));
  session->end_snapshot();
  lines.push_back("snapshot " + told(session->current_snapshot()));
  lines.push_back("broken " + std::to_string(session->break_lock("production", {}).value()));
  lines.push_back("stream " + told(replication->start_streaming("production", "pub")));
  auto successor =
      production::BlockingReplication::open(settings, std::make_shared<production::Interrupt>())
          .value();
  EXPECT_TRUE(successor->settings().ok());
  lines.push_back("stream " + told(successor->start_streaming("production", "pub")));
  return lines;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

/// The beginnings of all statements in the sources, up to where a value or a name goes in.
std::set<std::string> statements_of_production() {
  static const std::regex k_statement(
      "\"((SELECT|BEGIN|COMMIT|ROLLBACK|SET|ALTER|CREATE|DROP|LOCK|START_REPLICATION|"
      "IDENTIFY_SYSTEM)[^\"]*)\"");
  std::set<std::string> statements;
  const std::filesystem::path folder =
      std::filesystem::path(HOLDFAST_SOURCE_DIR) / "core/production/libpq";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string source = text_of(file.path());
    for (std::sregex_iterator it(source.begin(), source.end(), k_statement), end; it != end; ++it)
      statements.insert((*it)[1]);
  }
  return statements;
}

TEST(ProductionSessions, GetTheSameAnswersFromModelAndServer) {
  tools::ThrowawayPostgres server(
      {"log_statement = 'all'", "log_replication_commands = on", "wal_writer_delay = 10s"});
  RealConnection(server.url()).must("CREATE DATABASE production");
  const std::string url = server.url("production");
  RealConnection control(url);
  ModelOptions at_once;
  at_once.lock_holder_grace = {};
  PostgresModel model(at_once, {});
  for (const TableDefinition& table : {wide_table(), side_table()}) {
    model.create_table(table);
    control.must(create_sql(table));
  }
  Dice dice(11);
  for (unsigned i = 0; i < 300; ++i) {
    const Statement statement = generate_statement(dice);
    if (statement.kind != StatementKind::insert && statement.kind != StatementKind::update)
      continue;
    const Session writer = model.begin();
    const bool worked = model.execute(writer, statement).outcome == ExecuteOutcome::ok;
    model.commit(writer, Synchronous::on);
    ASSERT_EQ(worked, control.run(statement.to_sql()).ok()) << statement.to_sql();
  }
  const Lines ours = tell_model(model);
  const Lines theirs = tell_production(url);
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
    EXPECT_EQ(ours[i], theirs[i]) << "line " << i;
  EXPECT_EQ(ours.size(), theirs.size());
  EXPECT_GT(ours.size(), 60U);

  const std::string asked = text_of(server.directory() + "/log");
  const std::set<std::string> statements = statements_of_production();
  EXPECT_GT(statements.size(), 20U);
  for (const std::string& statement : statements)
    EXPECT_NE(asked.find(statement), std::string::npos)
        << "production may send this, and no model was compared with it: " << statement;
}

}  // namespace
}  // namespace holdfast::test
