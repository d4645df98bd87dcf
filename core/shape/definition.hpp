// A shape's definition: which rows of which table, which columns, in which form. Immutable; its
// identity decides which requests share a handle (http-api.md §7, engine.md L-0).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "core/postgres/catalog.hpp"
#include "core/where/condition.hpp"

namespace holdfast::shape {

struct Layout;

enum class Replica : std::uint8_t { only_changes, full };  ///< `replica=default` and `replica=full`
enum class LogMode : std::uint8_t { full, changes_only };

/// What a request asked for, validated in syntax only.
struct DefinitionRequest {
  postgres::RelationName table{};
  std::optional<std::vector<std::string>> columns{};  ///< unquoted, as listed
  std::string where{};
  std::map<unsigned, std::string> parameters{};
  Replica replica = Replica::only_changes;
  LogMode log_mode = LogMode::full;

  /// All of it as one text: equal requests, and no others, have equal keys.
  std::string key() const;
};

/// Which request field is wrong, and the sentence about it: {"errors":{field:[message]}}.
struct DefinitionError {
  std::string field;
  std::string message;
  /// A subquery reads this table: inspect it, and resolve again with what was found.
  std::optional<postgres::RelationName> missing{};
};

class Definition;

/// One distinct subquery of a where clause, bound to an ordinary shape of its own.
struct Dependency {
  std::shared_ptr<const Definition> inner;
  /// Columns of the inner relation in the order of the left side: part of what a dependency is,
  /// since two of them may share an inner shape (F-73).
  std::vector<std::uint16_t> link;
};

class Definition {
 public:
  /// Resolves a request against the table as it is now. Uses a big stack (Condition::compile).
  /// Without `subquery_relations` a subquery is refused.
  static Result<Definition, DefinitionError> resolve(
      const DefinitionRequest& request, const postgres::RelationInfo& relation,
      const where::Relations* subquery_relations = nullptr);
  static Result<Definition> deserialize(std::string_view bytes);
  std::string serialize() const;

  const Hash128& identity() const;
  /// DefinitionRequest::key() of the request it was resolved from. With an equal relation,
  /// resolving that request again gives this definition.
  const std::string& request_key() const;
  /// The table as it was when the shape was defined; all indices below count in its columns.
  const postgres::RelationInfo& relation() const;
  const std::vector<std::uint16_t>& selected() const;  ///< chosen + primary key, by attnum
  const std::vector<std::uint16_t>& key() const;  ///< primary key in its order; all columns if none
  bool selects_all() const;
  bool has_primary_key() const;
  const std::optional<where::Condition>& condition() const;  ///< none: all rows
  /// By the condition's dependency index; none for a plain clause.
  const std::vector<Dependency>& dependencies() const { return dependencies_; }
  Replica replica() const;
  LogMode log_mode() const;

  /// The value of the electric-schema header (http-api.md §10).
  std::string schema_header() const;

  /// How its rows are printed (layout.hpp); shared by copies of the definition.
  const Layout& layout() const { return *layout_; }

 private:
  friend struct DefinitionAccess;
  Hash128 identity_;
  std::string request_key_;
  postgres::RelationInfo relation_;
  std::vector<std::uint16_t> selected_;
  std::vector<std::uint16_t> key_;
  bool selects_all_ = true;
  bool has_primary_key_ = true;
  std::optional<where::Condition> condition_;
  std::vector<Dependency> dependencies_;
  Replica replica_ = Replica::only_changes;
  LogMode log_mode_ = LogMode::full;
  std::shared_ptr<const Layout> layout_;
};

/// The definition and those of the shapes behind its subqueries, at any depth.
template <class F>
void for_each_definition(const Definition& definition, const F& visit) {
  visit(definition);
  for (const Dependency& dependency : definition.dependencies())
    for_each_definition(*dependency.inner, visit);
}

}  // namespace holdfast::shape
