// Inspector: what the engine knows about tables without asking Postgres each time, and definitions
// already resolved against them. Owns the tables `relations` and `definitions`; both are caches,
// bounded, and may be empty at any time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/env/database.hpp"
#include "core/runtime/owned_table.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

class Inspector : public runtime::Process {
 public:
  explicit Inspector(Context context) : context_(std::move(context)) {}

  /// Definitions remembered at most; beyond this all are forgotten and come back with use.
  static constexpr std::size_t k_definitions_max = 20'000;

  // -- handlers -----------------------------------------------------------------------------------

  void remember_relation(postgres::RelationInfo relation);
  /// Forgets a table and every definition on it: its schema changed.
  void forget_relation(postgres::RelationName name);
  void remember_definition(std::string request_key, std::shared_ptr<const shape::Definition>);

 protected:
  void init() override;

 private:
  Context context_;
  std::unique_ptr<runtime::OwnedTable<postgres::RelationName, postgres::RelationInfo>> relations_;
  std::unique_ptr<runtime::OwnedTable<std::string, std::shared_ptr<const shape::Definition>>>
      definitions_;
  std::map<postgres::RelationName, std::set<std::string>> keys_of_table_;
};

}  // namespace holdfast::stack
