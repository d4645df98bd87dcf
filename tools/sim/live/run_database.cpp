#include "tools/sim/live/run_database.hpp"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "sim/postgres/statement.hpp"

namespace holdfast::tools::live {

using sim::postgres::quote_identifier;
using sim::postgres::quote_literal;

RunDatabase::RunDatabase(std::string server_url, std::string name)
    : server_url_(std::move(server_url)), name_(std::move(name)) {
  PostgresSession(server_url_).run("CREATE DATABASE " + quote_identifier(name_));
}

RunDatabase::~RunDatabase() {
  try {
    drop();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "database %s is left behind: %s\n", name_.c_str(), error.what());
  }
}

void RunDatabase::drop() {
  PostgresSession session(server_url_);
  const std::string ours = " WHERE database = " + quote_literal(name_);
  session.run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots" + ours +
              " AND active");
  // A backend takes a moment to end.
  constexpr int k_looks = 200;
  for (int look = 0; look < k_looks; ++look) {
    if (session.cell("SELECT count(*) FROM pg_replication_slots" + ours + " AND active") == "0")
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  session.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots" + ours);
  session.run("DROP DATABASE " + quote_identifier(name_) + " WITH (FORCE)");
}

}  // namespace holdfast::tools::live
