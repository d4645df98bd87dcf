#include "core/subquery/value_set.hpp"

#include <algorithm>

#include "core/base/hash.hpp"

namespace holdfast::subquery {

using where::Truth;

/// A treap: a search tree by value and a heap by priority. The priority is a hash of the value, so
/// the tree is a function of the set.
struct ValueSet::Node {
  std::string value;
  std::uint64_t priority = 0;
  bool has_null = false;
  std::size_t size = 1;
  std::size_t nulls = 0;
  NodeRef left;
  NodeRef right;

  bool above(const Node& other) const {
    return priority != other.priority ? priority > other.priority : value < other.value;
  }
};

ValueSet::ValueSet(const std::vector<std::string>& values) {
  for (const std::string& value : values) *this = with(value);
}

std::size_t ValueSet::size() const {
  return root_ == nullptr ? 0 : root_->size;
}
std::size_t ValueSet::nulls() const {
  return root_ == nullptr ? 0 : root_->nulls;
}

bool ValueSet::contains(std::string_view value) const {
  const Node* node = root_.get();
  while (node != nullptr && node->value != value)
    node = value < node->value ? node->left.get() : node->right.get();
  return node != nullptr;
}

Truth ValueSet::holds(std::string_view value) const {
  if (empty()) return Truth::no;
  const bool null_value = where::has_null(value);
  if (!null_value && contains(value)) return Truth::yes;
  if (!null_value && nulls() == 0) return Truth::no;
  const bool unknown = any_comparable(root_.get(), where::unpack_link_value(value), !null_value);
  return unknown ? Truth::unknown : Truth::no;
}

bool ValueSet::any_comparable(const Node* node, const where::LinkColumns& columns,
                              bool nulls_only) {
  if (node == nullptr || (nulls_only && node->nulls == 0)) return false;
  if ((!nulls_only || node->has_null) && where::comparable_as_equal(node->value, columns))
    return true;
  return any_comparable(node->left.get(), columns, nulls_only) ||
         any_comparable(node->right.get(), columns, nulls_only);
}

ValueSet::NodeRef ValueSet::make(const NodeRef& like, NodeRef left, NodeRef right) {
  auto node = std::make_shared<Node>();
  node->value = like->value;
  node->priority = like->priority;
  node->has_null = like->has_null;
  node->size = 1 + (left ? left->size : 0) + (right ? right->size : 0);
  node->nulls = (like->has_null ? 1U : 0U) + (left ? left->nulls : 0) + (right ? right->nulls : 0);
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

std::pair<ValueSet::NodeRef, ValueSet::NodeRef> ValueSet::split(const NodeRef& node,
                                                                std::string_view at) {
  if (node == nullptr) return {};
  if (node->value < at) {
    auto [less, more] = split(node->right, at);
    return {make(node, node->left, std::move(less)), std::move(more)};
  }
  auto [less, more] = split(node->left, at);
  return {std::move(less), make(node, std::move(more), node->right)};
}

ValueSet::NodeRef ValueSet::merge(const NodeRef& left, const NodeRef& right) {
  if (left == nullptr) return right;
  if (right == nullptr) return left;
  if (left->above(*right)) return make(left, left->left, merge(left->right, right));
  return make(right, merge(left, right->left), right->right);
}

ValueSet::NodeRef ValueSet::insert(const NodeRef& node, const NodeRef& added) {
  if (node == nullptr) return added;
  if (added->above(*node)) {
    auto [less, more] = split(node, added->value);
    return make(added, std::move(less), std::move(more));
  }
  if (added->value < node->value) return make(node, insert(node->left, added), node->right);
  return make(node, node->left, insert(node->right, added));
}

ValueSet::NodeRef ValueSet::erase(const NodeRef& node, std::string_view value) {
  if (node->value == value) return merge(node->left, node->right);
  if (value < node->value) return make(node, erase(node->left, value), node->right);
  return make(node, node->left, erase(node->right, value));
}

ValueSet ValueSet::with(std::string value) const {
  if (contains(value)) return *this;
  auto node = std::make_shared<Node>();
  node->priority = hash64(value);
  node->has_null = where::has_null(value);
  node->nulls = node->has_null ? 1 : 0;
  node->value = std::move(value);
  ValueSet made;
  made.root_ = insert(root_, node);
  return made;
}

ValueSet ValueSet::without(std::string_view value) const {
  if (!contains(value)) return *this;
  ValueSet made;
  made.root_ = erase(root_, value);
  return made;
}

void ValueSet::collect(const NodeRef& node, std::vector<std::string>& out) {
  if (node == nullptr) return;
  collect(node->left, out);
  out.push_back(node->value);
  collect(node->right, out);
}

// Equal roots split nothing, and shared sub-trees are passed over at once.
void ValueSet::subtract(const NodeRef& a, const NodeRef& b, std::vector<std::string>& out) {
  if (a == nullptr || a == b) return;
  if (b == nullptr) return collect(a, out);
  if (a->value == b->value) {
    subtract(a->left, b->left, out);
    subtract(a->right, b->right, out);
    return;
  }
  if (b->above(*a)) {
    auto [less, more] = split(a, b->value);
    subtract(less, b->left, out);
    subtract(more, b->right, out);
    return;
  }
  auto [less, more] = split(b, a->value);
  subtract(a->left, less, out);
  out.push_back(a->value);
  subtract(a->right, more, out);
}

std::vector<std::string> ValueSet::minus(const ValueSet& other) const {
  std::vector<std::string> out;
  subtract(root_, other.root_, out);
  return out;
}

std::vector<std::string> ValueSet::values() const {
  std::vector<std::string> out;
  collect(root_, out);
  return out;
}

bool ValueSet::operator==(const ValueSet& other) const {
  return size() == other.size() && minus(other).empty();
}

}  // namespace holdfast::subquery
