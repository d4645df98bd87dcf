#include "core/runtime/directory.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::runtime {
namespace {

// Beyond this many different children the counts start anew: paths may then repeat, ids never do.
constexpr std::size_t k_most_generations = 65'536;

}  // namespace

std::uint64_t Generations::next(const std::string& role, const std::string& key) {
  if (started_.size() >= k_most_generations) started_.clear();
  return started_[role + '\0' + key]++;
}

ProcessId Directory::new_process_id(unsigned shard) {
  ASSERT(shard < 256, "a process id has eight bits for its shard");
  return {((last_serial_.fetch_add(1, std::memory_order_relaxed) + 1) << 8) | shard};
}

bool Directory::register_name(const std::string& name, ProcessId process) {
  const SpinGuard guard(lock_);
  return names_.try_emplace(name, process).second;
}

void Directory::unregister_name(const std::string& name, ProcessId process) {
  const SpinGuard guard(lock_);
  const auto found = names_.find(name);
  if (found != names_.end() && found->second == process) names_.erase(found);
}

ProcessId Directory::find_name(std::string_view name) const {
  const SpinGuard guard(lock_);
  const auto found = names_.find(name);
  return found == names_.end() ? ProcessId{} : found->second;
}

void Directory::add_table(std::shared_ptr<TableBase> table) {
  const SpinGuard guard(lock_);
  const bool added = tables_.try_emplace(table->name(), table).second;
  ASSERT(added, "no two live tables have one name");
}

void Directory::remove_table(const TableBase& table) {
  std::shared_ptr<TableBase> removed;  // destroyed after the lock was released
  const SpinGuard guard(lock_);
  const auto found = tables_.find(table.name());
  if (found == tables_.end() || found->second.get() != &table) return;
  removed = std::move(found->second);
  tables_.erase(found);
}

std::shared_ptr<TableBase> Directory::find_table(std::string_view name) const {
  const SpinGuard guard(lock_);
  const auto found = tables_.find(name);
  return found == tables_.end() ? nullptr : found->second;
}

std::uint64_t Directory::next_root_generation(const std::string& role, const std::string& key) {
  const SpinGuard guard(lock_);
  return root_generations_.next(role, key);
}

}  // namespace holdfast::runtime
