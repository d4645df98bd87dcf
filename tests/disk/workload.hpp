// A short history of SQLite transactions whose every state is known, to be run until something
// breaks and then compared: what was committed is there, what was not is not.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/disk/support.hpp"

namespace holdfast::sim {

inline constexpr const char* k_full_sync =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=8;";

/// Everything the workload's tables hold; "" if they do not exist.
inline std::string state_of(Sql& sql) {
  if (sql.value("SELECT count(*) FROM sqlite_schema WHERE name = 'item'") == "0") return "";
  std::string state;
  const std::vector<std::string> rows =
      sql.rows("SELECT id, count, length(body), hex(substr(body, 1, 4)) FROM item ORDER BY id");
  for (const std::string& row : rows) state += row + "\n";
  return state + sql.value("SELECT count(*), total(id) FROM note");
}

struct Workload {
  std::vector<std::string> transactions;
  std::vector<std::string> states;  ///< after 0, 1, … transactions

  /// The same (seed, length) is the same workload.
  static Workload generate(std::uint64_t seed, int length, int pages_per_checkpoint) {
    const auto statement = rc::gen::element<std::string>(
        "INSERT INTO item(count, body) VALUES (1, randomblob_of(30))",
        "INSERT INTO item(count, body) VALUES (2, randomblob_of(3000))",
        "INSERT INTO item(count, body) VALUES (3, randomblob_of(20000))",
        "INSERT INTO note SELECT id, 'n' || id FROM item WHERE id % 2 = 0",
        "UPDATE item SET count = count + 1", "UPDATE item SET body = randomblob_of(500)",
        "DELETE FROM item WHERE id % 3 = 0", "DELETE FROM note WHERE id < 4");
    const auto transaction = rc::gen::container<std::vector<std::string>>(3, statement);
    const auto all = rc::gen::container<std::vector<std::vector<std::string>>>(
        static_cast<std::size_t>(length), transaction);
    const auto drawn = all(rc::Random(seed), 20).value();

    Workload workload;
    workload.transactions.push_back(
        "CREATE TABLE item(id INTEGER PRIMARY KEY, count INT, body BLOB);"
        "CREATE TABLE note(id INT, text TEXT); CREATE INDEX by_text ON note(text);");
    std::uint64_t blob = seed;
    for (const auto& statements : drawn) {
      std::string text;
      for (std::string one : statements) text += with_blob(std::move(one), ++blob) + ";";
      workload.transactions.push_back(text);
    }
    Sql model(":memory:", nullptr);
    workload.states.push_back(state_of(model));
    for (const std::string& text : workload.transactions) {
      EXPECT_EQ(model.run(text), SQLITE_OK) << text;
      workload.states.push_back(state_of(model));
    }
    workload.pages_per_checkpoint_ = pages_per_checkpoint;
    return workload;
  }

  /// Runs the transactions from the first, stops at the first that fails; how many succeeded.
  std::size_t run(Mount& mount) const {
    Sql sql("/x.db", mount.sqlite_vfs());
    if (sql.run(k_full_sync) != SQLITE_OK) return 0;
    sql.run("PRAGMA wal_autocheckpoint=" + std::to_string(pages_per_checkpoint_));
    std::size_t done = 0;
    for (const std::string& text : transactions) {
      if (sql.run("BEGIN IMMEDIATE;" + text + "COMMIT") != SQLITE_OK) {
        sql.run("ROLLBACK");
        return done;
      }
      done += 1;
    }
    return done;
  }

  /// Asserts that `mount` shows the state after `done` transactions, or after one more: the one in
  /// flight may have made it. Returns which.
  std::size_t expect_prefix(Mount& mount, std::size_t done) const {
    Sql sql("/x.db", mount.sqlite_vfs());
    EXPECT_EQ(sql.run(k_full_sync), SQLITE_OK) << sqlite3_errmsg(sql.db());
    EXPECT_EQ(sql.value("PRAGMA integrity_check"), "ok");
    const std::string state = state_of(sql);
    for (const std::size_t candidate : {done, done + 1}) {
      if (candidate < states.size() && state == states[candidate]) return candidate;
    }
    ADD_FAILURE() << "not the state after " << done << " or " << done + 1 << " transactions:\n"
                  << state << "\nbut expected\n"
                  << states[done];
    return done;
  }

 private:
  /// randomblob() would differ between the model and the disk: a blob that names itself instead.
  static std::string with_blob(std::string statement, std::uint64_t number) {
    const std::string call = "randomblob_of(";
    const std::size_t at = statement.find(call);
    if (at == std::string::npos) return statement;
    const std::size_t digits = at + call.size();
    const std::size_t end = statement.find(')', digits);
    const std::string bytes = statement.substr(digits, end - digits);
    const std::string blob = "CAST(substr(printf('%08x', " + std::to_string(number % 1'000'000) +
                             ") || hex(zeroblob(" + bytes + "/2)), 1, " + bytes + ") AS BLOB)";
    return statement.replace(at, end - at + 1, blob);
  }

  int pages_per_checkpoint_ = 1000;
};

}  // namespace holdfast::sim
