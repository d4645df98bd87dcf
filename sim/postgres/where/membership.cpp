#include "sim/postgres/where/membership.hpp"

#include <algorithm>

#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/where/expression.hpp"

namespace holdfast::sim::postgres {
namespace {

Truth equal_rows(const std::vector<Value>& a, const std::vector<Value>& b) {
  Truth all = Truth::yes;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Truth same = compare(Comparison::equal, a[i], b[i]);
    if (same == Truth::no) return Truth::no;
    if (same == Truth::unknown) all = Truth::unknown;
  }
  return all;
}

bool has_null(const std::vector<Value>& row) {
  return std::any_of(row.begin(), row.end(), [](const Value& value) { return value.null; });
}

/// Equal rows of these types have equal keys, and only they.
std::string key_of(const std::vector<Value>& row) {
  std::string key;
  for (const Value& value : row) append_key_part(key, value);
  return key;
}

/// Whether equal values of the two types are printed alike, but for what append_key_part evens out.
bool printed_alike(TypeId a, TypeId b) {
  const auto whole = [](TypeId type) {
    return type == TypeId::int2 || type == TypeId::int4 || type == TypeId::int8;
  };
  return a == b || (whole(a) && whole(b)) ||
         (family(a) == TypeFamily::string && family(b) == TypeFamily::string);
}

class Membership final : public TestExpression {
 public:
  Membership(std::vector<ExpressionRef> left, std::size_t subselect)
      : left_(std::move(left)), subselect_(subselect) {}
  Truth test(const Scope& scope) const override {
    if (scope.forced != nullptr) return (*scope.forced)[subselect_];
    return scope.results[subselect_].contains(row_of(left_, scope));
  }
  std::vector<Value> left(const Row& row) const {
    const std::vector<RowSet> none;
    return row_of(left_, {row, none});
  }
  static std::vector<Value> row_of(const std::vector<ExpressionRef>& terms, const Scope& scope) {
    std::vector<Value> row;
    row.reserve(terms.size());
    for (const ExpressionRef& term : terms) row.push_back(term->evaluate(scope));
    return row;
  }

 private:
  std::vector<ExpressionRef> left_;
  std::size_t subselect_;
};

class ConstantMembership final : public TestExpression {
 public:
  ConstantMembership(std::vector<ExpressionRef> left, RowSet rows)
      : left_(std::move(left)), rows_(std::move(rows)) {}
  Truth test(const Scope& scope) const override {
    return rows_.contains(Membership::row_of(left_, scope));
  }

 private:
  std::vector<ExpressionRef> left_;
  RowSet rows_;
};

}  // namespace

void RowSet::add(std::vector<Value> row) {
  if (has_null(row))
    with_null_.push_back(rows_.size());
  else
    lookup_.insert(key_of(row));
  rows_.push_back(std::move(row));
}

Truth RowSet::contains(const std::vector<Value>& left) const {
  if (rows_.empty()) return Truth::no;
  const std::vector<Value>& first = rows_.front();
  bool alike = !has_null(left);
  for (std::size_t i = 0; i < left.size(); ++i)
    alike = alike && printed_alike(left[i].type, first[i].type);
  Truth found = Truth::no;
  const auto look_at = [&](const std::vector<Value>& row) {
    const Truth same = equal_rows(left, row);
    if (same != Truth::no && found != Truth::yes) found = same;
  };
  if (!alike) {
    for (const auto& row : rows_) look_at(row);
    return found;
  }
  if (lookup_.contains(key_of(left))) return Truth::yes;
  for (const std::size_t at : with_null_) look_at(rows_[at]);
  return found;
}

ExpressionRef make_membership(std::vector<ExpressionRef> left, std::size_t subselect) {
  return std::make_unique<Membership>(std::move(left), subselect);
}

std::vector<Value> left_of(const Expression& membership, const Row& row) {
  return static_cast<const Membership&>(membership).left(row);
}

ExpressionRef make_constant_membership(std::vector<ExpressionRef> left, RowSet rows) {
  return std::make_unique<ConstantMembership>(std::move(left), std::move(rows));
}

}  // namespace holdfast::sim::postgres
