#include "tools/postgres/throwaway_postgres.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace holdfast::tools {
namespace {

/// The newest server that is installed.
std::string server_directory() {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists("/usr/lib/postgresql")) return {};
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
    if (std::filesystem::exists(entry.path() / "bin" / "initdb")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found.empty() ? std::string() : (found.back() / "bin").string() + "/";
}

const passwd* postgres_user() {
  return ::getuid() == 0 ? ::getpwnam("postgres") : nullptr;
}

}  // namespace

bool ThrowawayPostgres::installed() {
  return !server_directory().empty();
}

ThrowawayPostgres::ThrowawayPostgres(std::vector<std::string> settings) {
  try {
    make_cluster(settings);
    start();
  } catch (...) {
    remove();
    throw;
  }
}

ThrowawayPostgres::~ThrowawayPostgres() {
  remove();
}

void ThrowawayPostgres::remove() {
  stop_immediate();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ThrowawayPostgres::make_cluster(const std::vector<std::string>& settings) {
  char path[] = "/tmp/holdfast-pg-XXXXXX";
  if (::mkdtemp(path) == nullptr) give_up("no temporary directory");
  directory_ = path;
  const passwd* user = postgres_user();
  if (user != nullptr && ::chown(path, user->pw_uid, user->pw_gid) != 0)
    give_up("the directory cannot be given to postgres");
  run_to_end({server_directory() + "initdb", "-D", directory_ + "/data", "-U", "postgres", "-A",
              "trust", "-E", "UTF8", "--locale=C", "--no-sync"});
  std::ofstream conf(directory_ + "/data/postgresql.conf", std::ios::app);
  conf << "listen_addresses = ''\nunix_socket_directories = '" << directory_ << "'\n"
       << "wal_level = logical\nfsync = off\nshared_buffers = 16MB\nautovacuum = off\n";
  for (const std::string& line : settings) conf << line << '\n';
}

std::string ThrowawayPostgres::url(const std::string& database, const std::string& user) const {
  std::string host;
  for (const char c : directory_) host += c == '/' ? std::string("%2F") : std::string(1, c);
  return "postgresql://" + user + "@" + host + "/" + database;
}

void ThrowawayPostgres::start() {
  server_ = spawn({server_directory() + "postgres", "-D", directory_ + "/data"});
  for (int tries = 0; tries < 3000; ++tries) {
    if (PQping(url().c_str()) == PQPING_OK) return;
    if (::waitpid(server_, nullptr, WNOHANG) == server_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  give_up("the server does not start");
}

void ThrowawayPostgres::restart() {
  stop_fast();
  start();
}

void ThrowawayPostgres::stop_immediate() {
  stop(SIGQUIT);
}

void ThrowawayPostgres::stop_fast() {
  stop(SIGINT);
}

void ThrowawayPostgres::stop(int signal) {
  if (server_ == 0) return;
  ::kill(server_, signal);
  ::waitpid(server_, nullptr, 0);
  server_ = 0;
}

std::string ThrowawayPostgres::execute(const std::string& sql, const std::string& database) const {
  PGconn* connection = PQconnectdb(url(database).c_str());
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
    give_up(sql + ": " + PQerrorMessage(connection));
  std::string first =
      PQntuples(result) > 0 && PQnfields(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  PQfinish(connection);
  return first;
}

void ThrowawayPostgres::run_to_end(const std::vector<std::string>& command) const {
  int status = 0;
  ::waitpid(spawn(command), &status, 0);
  if (status != 0) give_up(command[0] + " failed");
}

pid_t ThrowawayPostgres::spawn(const std::vector<std::string>& command) const {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const passwd* user = postgres_user();
  const std::string log = directory_ + "/log";
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) give_up("no child process");
  if (child > 0) return child;
  if (user != nullptr && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // whoever starts it may wait for signals himself
  // After the change of user, which would clear it: the server ends with the test program.
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (::getppid() != parent || ::chdir("/") != 0) ::_exit(1);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::setsid();
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

void ThrowawayPostgres::give_up(const std::string& why) const {
  std::ostringstream log;
  log << std::ifstream(directory_ + "/log").rdbuf();
  throw std::runtime_error("throwaway Postgres: " + why + '\n' + log.str());
}

}  // namespace holdfast::tools
