// What the shards of one engine instance share: registered names, owned tables, and the counters
// that make ids. Every access is a few dozen instructions under a spin lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>

#include "core/base/spin_lock.hpp"
#include "core/runtime/process_id.hpp"

namespace holdfast::runtime {

/// An owned table as its owner's end sees it.
class TableBase {
 public:
  TableBase(std::string name, std::type_index type) : name_(std::move(name)), type_(type) {}
  virtual ~TableBase() = default;
  /// From here on every look-up answers Gone.
  virtual void end() = 0;
  const std::string& name() const { return name_; }
  std::type_index type() const { return type_; }

 private:
  std::string name_;
  std::type_index type_;
};

/// How often each kind of child was started by one parent: the generation in structural paths.
class Generations {
 public:
  /// 0 for the first child of this role and key.
  std::uint64_t next(const std::string& role, const std::string& key);

 private:
  std::map<std::string, std::uint64_t, std::less<>> started_;
};

/// Names by length first: most differ there, and nobody sees their order.
struct ShorterName {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

class Directory {
 public:
  ProcessId new_process_id(unsigned shard);

  /// False: the name is taken.
  bool register_name(const std::string& name, ProcessId);
  void unregister_name(const std::string& name, ProcessId);
  /// An invalid id if nobody has the name.
  ProcessId find_name(std::string_view name) const;

  /// REQUIRES: no live table has this name.
  void add_table(std::shared_ptr<TableBase> table);
  void remove_table(const TableBase& table);
  std::shared_ptr<TableBase> find_table(std::string_view name) const;

  /// Of processes without a parent.
  std::uint64_t next_root_generation(const std::string& role, const std::string& key);

 private:
  mutable SpinLock lock_;
  std::map<std::string, ProcessId, ShorterName> names_;
  std::map<std::string, std::shared_ptr<TableBase>, ShorterName> tables_;
  Generations root_generations_;
  std::atomic<std::uint64_t> last_serial_{0};
};

}  // namespace holdfast::runtime
