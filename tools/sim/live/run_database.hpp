// A database of one run on a server that others may use too. Owned by the run.
#pragma once

#include <string>

#include "tools/sim/live/postgres_session.hpp"

namespace holdfast::tools::live {

/// Dropped with its slots in the end.
class RunDatabase {
 public:
  RunDatabase(std::string server_url, std::string name);
  ~RunDatabase();
  RunDatabase(const RunDatabase&) = delete;
  RunDatabase& operator=(const RunDatabase&) = delete;
  std::string url() const { return with_database(server_url_, name_); }
  const std::string& name() const { return name_; }

 private:
  void drop();
  std::string server_url_;
  std::string name_;
};

}  // namespace holdfast::tools::live
