#include "scenarios/world/store_audit.hpp"

#include <optional>

#include "core/storage/connection.hpp"

namespace holdfast::scenarios {
namespace {

/// Of no instance.
constexpr std::uint64_t k_auditor = 1'000'000;
constexpr Duration k_between_looks = std::chrono::seconds(1);
constexpr Duration k_look_limit = std::chrono::seconds(10);
constexpr std::uint64_t k_most_steps = 2'000'000;

struct Question {
  const char* what;
  const char* sql;  ///< how many; none is right
};

/// In this order: what says why comes first.
constexpr Question k_questions[] = {
    {"removals whose later steps are open", "SELECT count(*) FROM removed WHERE state=0"},
    {"removed shapes whose data is not collected", "SELECT count(*) FROM removed WHERE state=1"},
    {"runs of shapes that do not live",
     "SELECT count(*) FROM run WHERE shape NOT IN (SELECT id FROM shape)"},
    {"snapshot chunks of shapes that do not live",
     "SELECT count(*) FROM snapshot_part WHERE id>>24 NOT IN (SELECT id FROM shape)"},
    {"state of shapes that do not live",
     "SELECT count(*) FROM shape_state WHERE shape NOT IN (SELECT id FROM shape)"},
    {"segments that nothing refers to",
     "SELECT count(*) FROM segment WHERE id NOT IN (SELECT segment FROM run) AND "
     "id NOT IN (SELECT segment FROM snapshot_part WHERE segment IS NOT NULL)"},
};

std::string ask(const std::string& path, const char* vfs) {
  auto connection = storage::Connection::open(path, vfs, storage::ConnectionRole::reader);
  if (!connection) return connection.error().message;
  for (const Question& question : k_questions) {
    bool ok = true;
    const std::uint64_t count = (*connection)->scalar(question.sql, ok);
    if (!ok) return (*connection)->failure(question.what).message;
    if (count > 0) return std::to_string(count) + " " + question.what;
  }
  return {};
}

}  // namespace

StoreAudit::StoreAudit(sim::SimulatedExecutor& executor, sim::SimDisk& disk)
    : executor_(executor), mount_(disk.mount(k_auditor)), worker_(executor, "/world/auditor") {}

std::string StoreAudit::look(const std::string& directory) {
  std::optional<std::string> found;
  worker_.submit(
      "audit",
      [&] { found = ask(directory + "/store.db", mount_->sqlite_vfs()); }, runtime::Wakeup{});
  executor_.run_until([&] { return found.has_value() && !worker_.busy(); },
                      {.until = executor_.now() + k_look_limit, .most_steps = k_most_steps});
  return found ? *found : "the store cannot be looked at";
}

std::string StoreAudit::wait_until_clean(const std::string& directory, Duration limit) {
  const Instant over = executor_.now() + limit;
  for (;;) {
    std::string left = look(directory);
    if (left.empty() || executor_.now() >= over) return left;
    executor_.run_until([] { return false; },
                        {.until = executor_.now() + k_between_looks, .most_steps = k_most_steps});
  }
}

}  // namespace holdfast::scenarios
