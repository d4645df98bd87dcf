// Owned tables: in-memory read models of committed state, plus a little that is never stored. One
// process owns and writes a table; any process reads it without a message, on any shard. The table
// ends in the same instant as its owner: a reader then gets Gone, which means "ask the store" and
// never "no such shape" (engine.md §1.3, I-49). Reads copy the value out; nobody holds a reference.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/runtime/process.hpp"

namespace holdfast::runtime {

class Directory;
class RuntimeObserver;
enum class TableUse : std::uint8_t;

struct Missing {};  ///< the owner lives and has no such row
struct Gone {};     ///< the owner is dead, or not yet started

/// What a look-up found. Missing and Gone are different everywhere.
template <class V>
class Lookup {
 public:
  Lookup(V value) : state_(std::in_place_index<0>, std::move(value)) {}
  Lookup(Missing m) : state_(m) {}
  Lookup(Gone g) : state_(g) {}
  bool found() const { return state_.index() == 0; }
  bool missing() const { return state_.index() == 1; }
  bool gone() const { return state_.index() == 2; }
  /// REQUIRES: found().
  const V& value() const { return std::get<0>(state_); }
  const V* operator->() const { return &std::get<0>(state_); }

 private:
  std::variant<V, Missing, Gone> state_;
};

/// A table's name and type: what readers hold. Resolved at each use, so it survives its owner.
template <class K, class V>
struct TableName {
  std::string text;
  explicit TableName(std::string name) : text(std::move(name)) {}
};

template <class K, class V>
class TableRef;

/// Whether readers see a table at once, or Gone until its owner has filled and opened it.
enum class TableStart : std::uint8_t { open, hidden };

/// The owner's side, a member of the owning process, made in init() (as std::optional or
/// std::unique_ptr: the constructor needs a started process). K is ordered; iteration is in key
/// order, so that it may reach decisions.
template <class K, class V>
class OwnedTable {
 public:
  /// REQUIRES: no live table has this name.
  OwnedTable(Process& owner, const TableName<K, V>& name, TableStart start = TableStart::open);
  ~OwnedTable();
  OwnedTable(const OwnedTable&) = delete;
  OwnedTable& operator=(const OwnedTable&) = delete;

  /// Makes a hidden table visible, with all its rows at once.
  void open();
  void put(K key, V value);
  /// False: there was no such row.
  bool erase(const K& key);
  void clear();
  std::optional<V> find(const K& key) const;
  /// Changes a row in place, as one step for readers. False: there was no such row.
  template <class F>
  bool update(const K& key, F&& change);
  std::size_t size() const;
  /// A copy of all rows in key order.
  std::vector<std::pair<K, V>> rows() const;

 private:
  friend class TableRef<K, V>;
  struct State;
  void tell(TableUse use) const;

  std::shared_ptr<State> state_;
  Directory* directory_ = nullptr;
  RuntimeObserver* observer_ = nullptr;
};

/// The reader's side: cheap to make, holds nothing alive.
template <class K, class V>
class TableRef {
 public:
  /// `name` outlives the reference; so no temporary is taken.
  TableRef(Runtime& runtime, const TableName<K, V>& name) : runtime_(&runtime), name_(&name) {}
  TableRef(Runtime& runtime, const TableName<K, V>&& name) = delete;
  Lookup<V> find(const K& key) const;
  /// The row; nullopt if missing. Leaves with exit crash(table_gone) if the owner is dead.
  std::optional<V> at(const K& key) const;
  /// All rows in key order, or Gone.
  Lookup<std::vector<std::pair<K, V>>> rows() const;
  bool gone() const;

 private:
  std::shared_ptr<typename OwnedTable<K, V>::State> resolve() const;
  void tell_read() const;

  Runtime* runtime_;
  const TableName<K, V>* name_;
};

}  // namespace holdfast::runtime

#include "core/runtime/owned_table_inline.hpp"
