// The result of a subquery as a set of packed values (core/where/link_value.hpp). Immutable: a
// change makes a new set that shares all but O(log n) nodes with the old one, so that a thousand
// outer shapes hold one inner's values once. Equal sets have equal structure, whatever the history,
// and two sets are compared in time proportional to how much they do not share. A value; no
// process, no I/O.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/where/condition.hpp"
#include "core/where/link_value.hpp"

namespace holdfast::subquery {

class ValueSet {
 public:
  ValueSet() = default;
  explicit ValueSet(const std::vector<std::string>& values);

  bool contains(std::string_view value) const;
  std::size_t size() const;
  bool empty() const { return root_ == nullptr; }
  /// How many of the values have a NULL in them: for one column, whether the set holds NULL.
  std::size_t nulls() const;

  /// SQL's `value IN (this set)`, rows compared as rows. O(log n) if neither side has a NULL, else
  /// O(n): SetIndex answers many such questions faster.
  where::Truth holds(std::string_view value) const;

  /// Both do nothing if there is nothing to do. Expected O(log n).
  ValueSet with(std::string value) const;
  ValueSet without(std::string_view value) const;

  /// What this set has and the other has not, ascending.
  std::vector<std::string> minus(const ValueSet& other) const;
  /// Ascending, by bytes.
  std::vector<std::string> values() const;
  bool operator==(const ValueSet& other) const;

 private:
  struct Node;
  using NodeRef = std::shared_ptr<const Node>;

  static NodeRef make(const NodeRef& like, NodeRef left, NodeRef right);
  static NodeRef insert(const NodeRef& node, const NodeRef& added);
  static NodeRef erase(const NodeRef& node, std::string_view value);
  static NodeRef merge(const NodeRef& left, const NodeRef& right);
  static std::pair<NodeRef, NodeRef> split(const NodeRef& node, std::string_view at);
  static void collect(const NodeRef& node, std::vector<std::string>& out);
  static void subtract(const NodeRef& a, const NodeRef& b, std::vector<std::string>& out);
  static bool any_comparable(const Node* node, const where::LinkColumns& columns, bool nulls_only);

  NodeRef root_;
};

/// The views of an outer shape: by dependency, the values it takes the dependency to have.
class Views : public where::Memberships {
 public:
  Views() = default;
  explicit Views(std::vector<ValueSet> of_dependencies) : sets(std::move(of_dependencies)) {}

  where::Truth holds(std::size_t dependency, std::string_view value) const override {
    return sets.at(dependency).holds(value);
  }
  bool operator==(const Views& other) const { return sets == other.sets; }

  std::vector<ValueSet> sets;
};

}  // namespace holdfast::subquery
