// Generated histories of interleaved transactions, executed on the model and on a real Postgres:
// the same statements succeed, fail or block, snapshots see the same rows, and the stream says the
// same, byte for byte but for positions and ids, and to core's decoder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "tests/postgres_model/decoded_text.hpp"
#include "tests/postgres_model/generate.hpp"
#include "tests/postgres_model/real_server.hpp"
#include "tests/postgres_model/stream_text.hpp"

namespace holdfast::test {
namespace {

using namespace sim::postgres;  // NOLINT: the test is about nothing else

constexpr unsigned k_sessions = 4;
constexpr unsigned k_histories = 120;
constexpr unsigned k_steps = 40;

unsigned histories() {
  return k_histories * effort();
}

using Rows = std::map<std::vector<std::string>, std::vector<std::optional<std::string>>>;

/// "xmin:xmax:xip,…" as numbers.
Snapshot parse_snapshot(const std::string& text) {
  Snapshot snapshot;
  const auto first = text.find(':');
  const auto second = text.find(':', first + 1);
  snapshot.xmin = {std::stoull(text.substr(0, first))};
  snapshot.xmax = {std::stoull(text.substr(first + 1, second - first - 1))};
  for (std::size_t at = second + 1; at < text.size();) {
    std::size_t used = 0;
    snapshot.xip.push_back({std::stoull(text.substr(at), &used)});
    at += used + 1;
  }
  return snapshot;
}

const RelationName k_bystander{"public", "bystander"};

/// The same session on both sides.
struct Twin {
  std::unique_ptr<RealConnection> real;
  std::optional<Session> session;  ///< open transaction
  bool failed = false;
  bool truncated = false;
  std::uint64_t real_xid = 0;
};

/// A snapshot that stays open on both sides.
struct TwinSnapshot {
  std::unique_ptr<env::QuerySession> session;
  std::unique_ptr<env::SnapshotRead> read;
};

class RealHistory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    RealConnection(real_server().url()).must("CREATE PUBLICATION pub");
  }
  static void TearDownTestSuite() {
    RealConnection(real_server().url()).must("DROP PUBLICATION pub");
  }

  void SetUp() override {
    for (Twin& twin : twins) twin.real = std::make_unique<RealConnection>(real_server().url());
  }

  void start_history(Dice& dice) {
    ModelOptions options;
    options.first_xid = {dice.chance(50) ? 740 : (1ULL << 32) - 10};
    options.first_lsn = {dice.chance(50) ? 0x1500000 : (1ULL << 63) - 4096};
    model = std::make_unique<PostgresModel>(options);
    model->create_publication("pub");
    // The model's snapshots lock this one: the real ones of this test are taken without a lock.
    model->create_table({k_bystander, side_table().columns});
    journal.clear();
    control.must("DROP TABLE IF EXISTS wide; DROP TABLE IF EXISTS \"Side \"\"item\"\"\"");
    for (const TableDefinition& table : {wide_table(), side_table()}) {
      model->create_table(table);
      control.must(create_sql(table));
      if (!dice.chance(85)) continue;
      publish(table.name);
      if (dice.chance(80)) set_identity(table.name, ReplicaIdentity::full);
    }
    control.must("SELECT pg_create_logical_replication_slot('check', 'pgoutput')");
    auto session = model->database(0).connect_replication().value();
    ASSERT_TRUE(session->ensure_slot("check").ok());
    base_real = parse_snapshot(control.ask("SELECT pg_current_snapshot()")).xmax.value;
    base_model = model->current_snapshot().xmax.value;
    exact_xids = options.first_xid.value == 740;  // the other start skips ids on its way
    open_snapshot = {};
  }

  /// What happened, for the report of a failure.
  void note(const Twin* twin, const std::string& what) {
    const std::string who = twin == nullptr ? "-" : std::to_string(twin - twins);
    journal.push_back(who + ": " + what);
  }

  void publish(const RelationName& table) {
    note(nullptr, "publish " + table.table);
    model->add_to_publication("pub", table);
    control.must("ALTER PUBLICATION pub ADD TABLE " + quote_relation(table));
    exact_xids = false;
  }
  void unpublish(const RelationName& table) {
    note(nullptr, "unpublish " + table.table);
    model->remove_from_publication("pub", table);
    control.must("ALTER PUBLICATION pub DROP TABLE " + quote_relation(table));
    exact_xids = false;
  }
  bool set_identity(const RelationName& table, ReplicaIdentity identity) {
    if (!model->set_replica_identity(table, identity)) return false;
    const char* word = identity == ReplicaIdentity::full      ? "FULL"
                       : identity == ReplicaIdentity::nothing ? "NOTHING"
                                                              : "DEFAULT";
    note(nullptr, table.table + " identity " + word);
    control.must("ALTER TABLE " + quote_relation(table) + " REPLICA IDENTITY " + word);
    exact_xids = false;
    return true;
  }

  void step(Dice& dice) {
    Twin& twin = twins[dice.roll(k_sessions)];
    const std::uint64_t kind = dice.roll(100);
    if (kind < 60)
      execute(dice, twin);
    else if (kind < 78)
      finish(dice, twin);
    else if (kind < 86)
      compare_snapshots();
    else if (kind < 91)
      toggle_snapshot(dice);
    else if (kind < 97)
      alter(dice);
    else
      compare_streams();
  }

  void execute(Dice& dice, Twin& twin) {
    if (!twin.session) {
      twin.session = model->begin();
      twin.real->must("BEGIN");
      twin.failed = twin.truncated = false;
    }
    const Statement statement = generate_statement(dice);
    const std::string sql = statement.to_sql();
    const ExecuteResult ours = model->execute(*twin.session, statement);
    const char* outcome = ours.outcome == ExecuteOutcome::ok        ? ""
                          : ours.outcome == ExecuteOutcome::blocked ? "  (blocked)"
                                                                    : "  (error)";
    note(&twin, sql + outcome);
    if (ours.outcome == ExecuteOutcome::blocked) {
      ++blocked;
      exact_xids = false;  // the savepoint has an xid of its own
      // An insert that waits has logged its row: from who has written nothing else, that would be a
      // first record which the model does not have. For such a session another one can ask.
      const char* k_xid = "SELECT pg_current_xact_id_if_assigned()::text";
      RealConnection& who = twin.real->ask(k_xid).empty() ? prober : *twin.real;
      if (&who == &prober) prober.must("BEGIN");
      who.must("SAVEPOINT before");
      const RealResult theirs = who.run("SET LOCAL lock_timeout = '3ms'; " + sql);
      who.must("ROLLBACK TO before; RELEASE before");
      if (&who == &prober) prober.must("ROLLBACK");
      ASSERT_EQ(theirs.sqlstate, "55P03") << sql << '\n' << theirs.message;
    } else {
      const RealResult theirs = twin.real->run(sql);
      const bool worked = ours.outcome == ExecuteOutcome::ok;
      ASSERT_EQ(worked, theirs.ok())
          << sql << "\nmodel: " << ours.error.message << "\nreal: " << theirs.message;
      if (!worked) {
        ++errors;
        twin.failed = true;
        // By class: dates have two codes for what the model does not read.
        ASSERT_EQ(ours.error.sqlstate.substr(0, 2), theirs.sqlstate.substr(0, 2)) << sql << '\n'
                                                                                  << theirs.message;
      } else if (statement.kind == StatementKind::truncate) {
        twin.truncated = true;
      }
    }
    ++statements;
  }

  void finish(Dice& dice, Twin& twin) {
    if (!twin.session) return;
    if (dice.chance(20)) {
      note(&twin, "rollback");
      model->rollback(*twin.session);
      twin.real->must("ROLLBACK");
    } else {
      note(&twin, "commit");
      const auto synchronous = dice.chance(50) ? Synchronous::on : Synchronous::off;
      const CommitResult result = model->commit(*twin.session, synchronous);
      EXPECT_EQ(result.committed, !twin.failed);
      twin.real->must("COMMIT");
      commits += result.committed ? 1U : 0U;
    }
    twin.session.reset();
  }

  /// As the table is now: columns come and go.
  std::vector<std::string> column_names(const RelationName& table) const {
    std::vector<std::string> names;
    const auto relation = model->describe(table);
    for (const auto& column : relation->columns) names.push_back(column.name);
    return names;
  }

  using Cells = std::vector<std::vector<std::optional<std::string>>>;
  static Cells sorted(Cells cells) {
    std::sort(cells.begin(), cells.end());
    return cells;
  }

  void compare_read(env::SnapshotRead& read, RealConnection& real) {
    for (const TableDefinition& table : {wide_table(), side_table()}) {
      if (model_excludes(table.name)) continue;
      const env::ShapeQuery query{table.name, column_names(table.name), ""};
      ASSERT_TRUE(read.start(query).ok());
      Cells ours;
      while (true) {
        const auto batch = read.next();
        ASSERT_TRUE(batch.ok());
        if (batch->rows() == 0) break;
        for (std::size_t row = 0; row < batch->rows(); ++row) {
          auto& cells = ours.emplace_back();
          for (std::size_t column = 0; column < batch->columns(); ++column) {
            const auto cell = batch->cell(row, column);
            cells.push_back(cell ? std::optional<std::string>(*cell) : std::nullopt);
          }
        }
      }
      EXPECT_EQ(sorted(ours), sorted(real.must(shape_sql(query)).rows)) << table.name.table;
      rows_compared += ours.size();
    }
  }

  /// While a TRUNCATE is open, the real server lets nobody read its tables, and this test has no
  /// thread that could wait; what readers then find is compared after its end.
  bool model_excludes(const RelationName&) const {
    return std::any_of(std::begin(twins), std::end(twins),
                       [](const Twin& twin) { return twin.session && twin.truncated; });
  }

  void compare_snapshots() {
    auto session = model->database(0).connect().value();
    auto read = session->begin_snapshot(k_bystander).value();
    control.must("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const Snapshot theirs = parse_snapshot(control.ask("SELECT pg_current_snapshot()"));
    const Snapshot& ours = read->snapshot();
    if (exact_xids) {
      ++exact_snapshots;
      EXPECT_EQ(ours.xmin.value - base_model, theirs.xmin.value - base_real);
      EXPECT_EQ(ours.xmax.value - base_model, theirs.xmax.value - base_real);
      ASSERT_EQ(ours.xip.size(), theirs.xip.size());
      for (std::size_t i = 0; i < ours.xip.size(); ++i)
        EXPECT_EQ(ours.xip[i].value - base_model, theirs.xip[i].value - base_real);
    }
    compare_read(*read, control);
    control.must("COMMIT");
  }

  void toggle_snapshot(Dice&) {
    if (open_snapshot.read) {
      compare_read(*open_snapshot.read, reader);
      close_snapshot();
      return;
    }
    open_snapshot.session = model->database(0).connect().value();
    open_snapshot.read = open_snapshot.session->begin_snapshot(k_bystander).value();
    reader.must("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()");
    compare_read(*open_snapshot.read, reader);
  }

  void close_snapshot() {
    if (!open_snapshot.read) return;
    open_snapshot.read.reset();
    open_snapshot.session.reset();
    reader.must("COMMIT");
  }

  void alter(Dice& dice) {
    const RelationName table = dice.chance(70) ? wide_table().name : side_table().name;
    if (dice.chance(30)) return alter_columns(dice, table);
    if (dice.chance(50)) {
      static const std::vector<ReplicaIdentity> k_identities{
          ReplicaIdentity::full, ReplicaIdentity::by_default, ReplicaIdentity::nothing};
      alterations += set_identity(table, dice.pick(k_identities)) ? 1U : 0U;
      return;
    }
    if (model_excludes(table)) return;  // ALTER PUBLICATION would wait for the TRUNCATE
    const auto payload =
        control.ask("SELECT count(*) FROM pg_publication_tables WHERE tablename = " +
                    quote_literal(table.table));
    if (payload == "0")
      publish(table);
    else
      unpublish(table);
    ++alterations;
  }

  /// A column that statements do not name comes, changes its name, and goes.
  void alter_columns(Dice& dice, const RelationName& table) {
    static const std::vector<std::string> k_names{"extra", "Extra two"};
    if (dice.chance(45)) return widen(dice, table);
    const auto columns = column_names(table);
    const auto there =
        std::find_first_of(k_names.begin(), k_names.end(), columns.begin(), columns.end());
    std::string change;
    if (there == k_names.end()) {
      const TypeId type = dice.pick(wide_table().columns).type;
      if (!model->add_column(table, {k_names[0], type, false, 0, 0})) return;
      change = " ADD COLUMN extra " + std::string(name_of(type));
    } else if (dice.chance(40)) {
      const std::string& other = k_names[there == k_names.begin() ? 1 : 0];
      if (!model->rename_column(table, *there, other)) return;
      change = " RENAME COLUMN " + quote_identifier(*there) + " TO " + quote_identifier(other);
    } else {
      if (!model->drop_column(table, *there)) return;
      change = " DROP COLUMN " + quote_identifier(*there);
    }
    note(nullptr, table.table + change);
    control.must("ALTER TABLE " + quote_relation(table) + change);
    exact_xids = false;
    ++column_changes;
  }

  /// A column of small numbers becomes one of larger ones, which rewrites the table.
  void widen(Dice& dice, const RelationName& table) {
    if (open_snapshot.read) return;  // one that has not read the table yet would find it empty
    const auto relation = model->describe(table);
    std::vector<std::pair<std::string, TypeId>> small;
    for (const auto& column : relation->columns)
      for (const auto& [from, to] :
           {std::pair(TypeId::int2, TypeId::int4), std::pair(TypeId::int4, TypeId::int8),
            std::pair(TypeId::int8, TypeId::numeric)})
        if (column.key_position == 0 && column.type == oid_of(from))
          small.emplace_back(column.name, to);
    if (small.empty()) return;
    const auto [column, wider] = dice.pick(small);
    if (!model->change_type(table, column, wider)) return;
    const std::string change =
        " ALTER COLUMN " + quote_identifier(column) + " TYPE " + std::string(name_of(wider));
    note(nullptr, table.table + change);
    control.must("ALTER TABLE " + quote_relation(table) + change);
    exact_xids = false;
    ++widened;
  }

  void compare_streams() {
    note(nullptr, "stream");
    auto session = model->database(0).connect_replication().value();
    ASSERT_TRUE(session->ensure_slot("check").ok());
    ASSERT_TRUE(session->start_streaming("check", "pub").ok());
    model->flush_wal();
    StreamTeller ours;
    std::vector<std::string> our_payloads;
    while (true) {
      const auto messages = session->receive({});
      ASSERT_TRUE(messages.ok());
      if (messages->empty()) break;
      for (const std::string& message : *messages) {
        ours.tell(message);
        if (message.front() == 'w') our_payloads.push_back(message);
      }
    }
    // As the real slot's function does it: to the end of what was decoded, sent or not.
    if (!ours.keepalives.empty()) {
      const Lsn end{ours.keepalives.back()};
      ASSERT_TRUE(session->send_status(end, end).ok());
    }
    StreamTeller theirs;
    const std::vector<std::string> their_payloads = take_stream(control, "check");
    for (const std::string& payload : their_payloads) theirs.tell(payload);
    EXPECT_EQ(ours.lines, theirs.lines);
    EXPECT_EQ(ours.relations, theirs.relations);
    const std::vector<std::string> decoded = decode(their_payloads);
    EXPECT_EQ(decode(our_payloads), decoded);
    decoded_lines += decoded.size();
    streamed += theirs.lines.size();
    EXPECT_TRUE(std::is_sorted(ours.final_lsns.begin(), ours.final_lsns.end()));
  }

  void end_history() {
    close_snapshot();
    for (Twin& twin : twins) {
      if (!twin.session) continue;
      model->rollback(*twin.session);
      twin.real->must("ROLLBACK");
      twin.session.reset();
    }
    compare_snapshots();
    compare_streams();
    control.must("SELECT pg_drop_replication_slot('check')");
  }

  RealConnection control{real_server().url()};
  RealConnection prober{real_server().url()};
  RealConnection reader{real_server().url()};
  Twin twins[k_sessions];
  std::unique_ptr<PostgresModel> model;
  TwinSnapshot open_snapshot;  // after the model: its sessions end first
  std::vector<std::string> journal;
  std::uint64_t base_real = 0;
  std::uint64_t base_model = 0;
  bool exact_xids = true;
  unsigned statements = 0, blocked = 0, errors = 0, commits = 0, alterations = 0;
  unsigned column_changes = 0, widened = 0;
  unsigned exact_snapshots = 0;
  std::size_t rows_compared = 0, streamed = 0, decoded_lines = 0;
};

TEST_F(RealHistory, ModelAndServerAgreeAtEveryStep) {
  const char* first = std::getenv("HOLDFAST_MODEL_SEED");
  const std::uint64_t start = first == nullptr ? 1 : std::stoull(first);
  for (std::uint64_t seed = start; seed < start + histories(); ++seed) {
    SCOPED_TRACE("HOLDFAST_MODEL_SEED=" + std::to_string(seed));
    Dice dice(seed);
    start_history(dice);
    for (unsigned i = 0; i < k_steps && !HasFailure(); ++i) step(dice);
    if (!HasFailure()) end_history();
    if (!HasFailure()) continue;
    for (const std::string& line : journal) std::printf("%s\n", line.c_str());
    return;
  }
  std::printf(
      "%u histories: %u statements (%u blocked, %u errors), %u commits, %u alterations, %u of "
      "columns, %zu rows compared, %u snapshots compared by number, %zu stream messages, %zu lines "
      "of core's decoder\n",
      histories(), statements, blocked, errors, commits, alterations, column_changes, rows_compared,
      exact_snapshots, streamed, decoded_lines);
  EXPECT_GT(blocked, histories());
  EXPECT_GT(streamed, histories() * 4);
  EXPECT_GT(decoded_lines, histories() * 3);
  EXPECT_GT(column_changes, histories() / 20);
  EXPECT_GT(widened, histories() / 20);
  EXPECT_GT(exact_snapshots, 0U);
}

}  // namespace
}  // namespace holdfast::test
