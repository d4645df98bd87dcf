// A real Postgres for one test program or command: own cluster in a temporary directory, reached
// through a Unix socket there (no ports), gone with the object. The server ends with the thread
// that started it, thus with a test that is killed; start it on the main thread. As root it runs as
// the user postgres, who is the superuser of the cluster in any case.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace holdfast::tools {

class ThrowawayPostgres {
 public:
  /// Whether a server can be started here. Tests that need one skip loudly if not, and fail if the
  /// environment says CI=true.
  static bool installed();

  /// Starts with wal_level=logical and fsync off; `settings` are further lines of postgresql.conf
  /// and win over these, e.g. "max_slot_wal_keep_size = 1MB". Whatever fails here throws a
  /// std::runtime_error with the server's log.
  explicit ThrowawayPostgres(std::vector<std::string> settings = {});
  ~ThrowawayPostgres();
  ThrowawayPostgres(const ThrowawayPostgres&) = delete;
  ThrowawayPostgres& operator=(const ThrowawayPostgres&) = delete;

  /// postgresql://postgres@…/<database>, as superuser unless told otherwise. No password is asked.
  std::string url(const std::string& database = "postgres",
                  const std::string& user = "postgres") const;
  std::string directory() const { return directory_; }

  /// Fast shutdown and start; sessions end, slots stay.
  void restart();
  void start();
  /// As if it crashed: no shutdown checkpoint, sessions cut.
  void stop_immediate();
  void stop_fast();

  /// Runs statements, one transaction each string unless it says otherwise; a failing one throws.
  /// Returns the first cell of the last result, "" if there is none.
  std::string execute(const std::string& sql, const std::string& database = "postgres") const;

 private:
  void make_cluster(const std::vector<std::string>& settings);
  void remove();
  void run_to_end(const std::vector<std::string>& command) const;
  pid_t spawn(const std::vector<std::string>& command) const;
  void stop(int signal);
  [[noreturn]] void give_up(const std::string& why) const;

  std::string directory_;
  pid_t server_ = 0;
};

}  // namespace holdfast::tools
