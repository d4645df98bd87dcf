// What the tests of the simulated disk share: keyed draws, a scriptable fault hook, and SQLite in a
// few words.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/env/random.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"

namespace holdfast::sim {

class KeyedRandom final : public env::Random {
 public:
  explicit KeyedRandom(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t draw(std::uint64_t path, std::string_view site, std::uint64_t ordinal) override {
    return combine64(combine64(combine64(seed_, path), hash64(site)), ordinal);
  }

 private:
  std::uint64_t seed_;
};

/// Faults and observer from two functions.
struct Script final : DiskFaults, DiskObserver {
  std::function<FaultDecision(const Operation&)> on_decide = {};
  std::function<void(const Operation&)> on_done = {};
  FaultDecision decide(const Operation& operation) override {
    return on_decide ? on_decide(operation) : FaultDecision{};
  }
  void on_operation(const Operation& operation) override {
    if (on_done) on_done(operation);
  }
};

/// One connection. Statements answer their code; rows come as "a|b" texts.
class Sql {
 public:
  Sql(const std::string& path, const char* vfs) {
    opened_ = sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
  }
  ~Sql() { close(); }
  Sql(const Sql&) = delete;
  Sql& operator=(const Sql&) = delete;

  int opened() const { return opened_; }
  sqlite3* db() { return db_; }
  int run(const std::string& sql) {
    rows_.clear();
    return sqlite3_exec(db_, sql.c_str(), &Sql::collect, this, nullptr);
  }
  /// Rows of a query that must succeed.
  std::vector<std::string> rows(const std::string& sql) {
    const int code = run(sql);
    EXPECT_EQ(code, SQLITE_OK) << sql << ": " << sqlite3_errmsg(db_);
    return rows_;
  }
  /// What the last statement gave, also before it failed.
  const std::vector<std::string>& last_rows() const { return rows_; }
  std::string value(const std::string& sql) {
    const std::vector<std::string> all = rows(sql);
    return all.empty() ? "" : all.front();
  }
  int close() {
    const int code = sqlite3_close(db_);
    if (code == SQLITE_OK) db_ = nullptr;
    return code;
  }

 private:
  static int collect(void* self, int count, char** values, char**) {
    std::string row;
    for (int i = 0; i < count; ++i) {
      if (i > 0) row += '|';
      row += values[i] == nullptr ? "NULL" : values[i];
    }
    static_cast<Sql*>(self)->rows_.push_back(row);
    return 0;
  }

  sqlite3* db_ = nullptr;
  int opened_ = SQLITE_OK;
  std::vector<std::string> rows_;
};

}  // namespace holdfast::sim
