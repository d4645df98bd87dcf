// The templates of owned_table.hpp.
#pragma once

#include <map>
#include <memory>

#include "core/base/assert.hpp"
#include "core/base/spin_lock.hpp"
#include "core/runtime/directory.hpp"
#include "core/runtime/owned_table.hpp"
#include "core/runtime/process_record.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {

/// The rows. Alive from the owner's init() to its end; readers may hold it a little longer.
template <class K, class V>
struct OwnedTable<K, V>::State final : TableBase {
  explicit State(const std::string& table_name) : TableBase(table_name, typeid(State)) {}
  void end() override {
    std::map<K, V> ended;  // destroyed after the lock was released
    const SpinGuard guard(lock);
    alive = false;
    visible = false;
    ended.swap(rows);
  }

  mutable SpinLock lock;
  bool alive = true;
  bool visible = true;  ///< to readers
  std::map<K, V> rows;
};

template <class K, class V>
OwnedTable<K, V>::OwnedTable(Process& owner, const TableName<K, V>& name, TableStart start)
    : state_(std::make_shared<State>(name.text)) {
  state_->visible = start == TableStart::open;
  ASSERT(owner.record_ != nullptr, "a table is made in its owner's init(), not in its constructor");
  owner.record_->tables.push_back(state_);
  owner.runtime().directory().add_table(state_);
  directory_ = &owner.runtime().directory();
  observer_ = owner.runtime().options().observer;
  tell(start == TableStart::open ? TableUse::made : TableUse::made_hidden);
}

template <class K, class V>
void OwnedTable<K, V>::tell(TableUse use) const {
  if (observer_ != nullptr) observer_->table_used(state_->name(), use);
}

template <class K, class V>
OwnedTable<K, V>::~OwnedTable() {
  if (!state_->alive) return;  // its owner has ended, and the directory may have too
  directory_->remove_table(*state_);
  state_->end();
  tell(TableUse::ended);
}

template <class K, class V>
void OwnedTable<K, V>::open() {
  const SpinGuard guard(state_->lock);
  state_->visible = state_->alive;
  tell(TableUse::opened);
}

template <class K, class V>
std::vector<std::pair<K, V>> OwnedTable<K, V>::rows() const {
  const SpinGuard guard(state_->lock);
  return {state_->rows.begin(), state_->rows.end()};
}

template <class K, class V>
void OwnedTable<K, V>::put(K key, V value) {
  tell(TableUse::written);
  const SpinGuard guard(state_->lock);
  state_->rows.insert_or_assign(std::move(key), std::move(value));
}

template <class K, class V>
bool OwnedTable<K, V>::erase(const K& key) {
  tell(TableUse::written);
  const SpinGuard guard(state_->lock);
  return state_->rows.erase(key) > 0;
}

template <class K, class V>
void OwnedTable<K, V>::clear() {
  tell(TableUse::written);
  std::map<K, V> cleared;
  const SpinGuard guard(state_->lock);
  cleared.swap(state_->rows);
}

template <class K, class V>
std::optional<V> OwnedTable<K, V>::find(const K& key) const {
  const SpinGuard guard(state_->lock);
  const auto found = state_->rows.find(key);
  if (found == state_->rows.end()) return std::nullopt;
  return found->second;
}

template <class K, class V>
template <class F>
bool OwnedTable<K, V>::update(const K& key, F&& change) {
  tell(TableUse::written);
  const SpinGuard guard(state_->lock);
  const auto found = state_->rows.find(key);
  if (found == state_->rows.end()) return false;
  change(found->second);
  return true;
}

template <class K, class V>
std::size_t OwnedTable<K, V>::size() const {
  const SpinGuard guard(state_->lock);
  return state_->rows.size();
}

/// The table of this name and type, or nothing.
template <class K, class V>
std::shared_ptr<typename OwnedTable<K, V>::State> TableRef<K, V>::resolve() const {
  using State = typename OwnedTable<K, V>::State;
  const std::shared_ptr<TableBase> found = runtime_->directory().find_table(name_->text);
  if (found == nullptr) return nullptr;
  ASSERT(found->type() == typeid(State), "a table is read with the types it was made with");
  return std::static_pointer_cast<State>(found);
}

template <class K, class V>
void TableRef<K, V>::tell_read() const {
  RuntimeObserver* const observer = runtime_->options().observer;
  if (observer != nullptr) observer->table_used(name_->text, TableUse::read);
}

template <class K, class V>
Lookup<V> TableRef<K, V>::find(const K& key) const {
  const auto table = resolve();
  if (table == nullptr) return Gone{};
  tell_read();
  const SpinGuard guard(table->lock);
  if (!table->visible) return Gone{};
  const auto found = table->rows.find(key);
  if (found == table->rows.end()) return Missing{};
  return found->second;
}

template <class K, class V>
std::optional<V> TableRef<K, V>::at(const K& key) const {
  Lookup<V> found = find(key);
  if (found.gone()) throw ExitRequest{ExitReason::table_gone()};
  if (found.missing()) return std::nullopt;
  return found.value();
}

template <class K, class V>
Lookup<std::vector<std::pair<K, V>>> TableRef<K, V>::rows() const {
  const auto table = resolve();
  if (table == nullptr) return Gone{};
  tell_read();
  const SpinGuard guard(table->lock);
  if (!table->visible) return Gone{};
  return std::vector<std::pair<K, V>>(table->rows.begin(), table->rows.end());
}

template <class K, class V>
bool TableRef<K, V>::gone() const {
  const auto table = resolve();
  if (table == nullptr) return true;
  const SpinGuard guard(table->lock);
  return !table->visible;
}

}  // namespace holdfast::runtime
