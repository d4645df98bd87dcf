#include "core/where/compiled_expression.hpp"

#include <algorithm>
#include <numeric>

#include "core/where/like.hpp"
#include "core/where/link_value.hpp"

namespace holdfast::where {
namespace {

enum class Loaded : std::uint8_t { value, null, failed };

Loaded load_operand(const Operand& operand, const postgres::Tuple& row, Scalar& storage,
                    const Scalar*& value) {
  switch (operand.source) {
    case Operand::Source::null:
      return Loaded::null;
    case Operand::Source::constant:
      value = &operand.scalar;
      return Loaded::value;
    case Operand::Source::column:
      break;
  }
  ASSERT(operand.column < row.size(), "a row has every column that a condition reads");
  const auto& cell = row[operand.column];
  if (!cell) return Loaded::null;
  value = &storage;
  return load(operand.loader, *cell, storage) ? Loaded::value : Loaded::failed;
}

Truth truth(bool value) {
  return value ? Truth::yes : Truth::no;
}

Truth test(TruthTest kind, Truth value) {
  switch (kind) {
    case TruthTest::is_true:
      return truth(value == Truth::yes);
    case TruthTest::is_not_true:
      return truth(value != Truth::yes);
    case TruthTest::is_false:
      return truth(value == Truth::no);
    case TruthTest::is_not_false:
      return truth(value != Truth::no);
    case TruthTest::is_unknown:
      return truth(value == Truth::unknown);
    case TruthTest::is_not_unknown:
      return truth(value != Truth::unknown);
  }
  return Truth::unknown;
}

/// What a comparison gives when at least one side is NULL.
Truth with_null(Comparison comparison, bool both_null) {
  if (comparison == Comparison::distinct) return truth(!both_null);
  if (comparison == Comparison::not_distinct) return truth(both_null);
  return Truth::unknown;
}

}  // namespace

Truth negated(Truth value) {
  switch (value) {
    case Truth::no:
      return Truth::yes;
    case Truth::yes:
      return Truth::no;
    case Truth::unknown:
      return Truth::unknown;
  }
  return Truth::unknown;
}

bool holds(Comparison comparison, std::strong_ordering order) {
  switch (comparison) {
    case Comparison::equal:
    case Comparison::not_distinct:
      return order == 0;
    case Comparison::not_equal:
    case Comparison::distinct:
      return order != 0;
    case Comparison::less:
      return order < 0;
    case Comparison::less_or_equal:
      return order <= 0;
    case Comparison::greater:
      return order > 0;
    case Comparison::greater_or_equal:
      return order >= 0;
  }
  return false;
}

Truth Expression::evaluate(const Node& node, const postgres::Tuple& row,
                           const Memberships* views) const {
  const auto child = [&](std::uint32_t i) -> Truth {
    return evaluate(nodes[children[node.first + i]], row, views);
  };
  switch (node.operation) {
    case Operation::constant:
      return static_cast<Truth>(node.detail);
    case Operation::column: {
      Scalar storage;
      const Scalar* value = nullptr;
      if (load_operand(operands[node.first], row, storage, value) != Loaded::value)
        return Truth::unknown;
      return truth(value->integer == 1);
    }
    case Operation::all_of:
    case Operation::any_of: {
      const Truth decisive = node.operation == Operation::all_of ? Truth::no : Truth::yes;
      Truth result = negated(decisive);
      for (std::uint32_t i = 0; i < node.count; ++i) {
        const Truth value = child(i);
        if (value == decisive) return decisive;
        if (value == Truth::unknown) result = Truth::unknown;
      }
      return result;
    }
    case Operation::negate:
      return negated(child(0));
    case Operation::truth_test:
      return test(static_cast<TruthTest>(node.detail), child(0));
    case Operation::is_null:
      ASSERT(node.first < row.size(), "a row has every column that a condition reads");
      return truth(!row[node.first].has_value());
    case Operation::compare:
      return compare_values(node, row);
    case Operation::compare_truth: {
      const auto comparison = static_cast<Comparison>(node.detail);
      const Truth left = child(0);
      const Truth right = child(1);
      if (left == Truth::unknown || right == Truth::unknown)
        return with_null(comparison, left == right);
      return truth(holds(comparison, left <=> right));
    }
    case Operation::like:
      return match(node, row);
    case Operation::member:
      return find(node, row);
    case Operation::in_subquery:
      return ask(node, row, views);
  }
  return Truth::unknown;
}

Truth Expression::compare_values(const Node& node, const postgres::Tuple& row) const {
  const auto comparison = static_cast<Comparison>(node.detail);
  Scalar left_storage;
  Scalar right_storage;
  const Scalar* left = nullptr;
  const Scalar* right = nullptr;
  const Loaded a = load_operand(operands[node.first], row, left_storage, left);
  const Loaded b = load_operand(operands[node.first + 1], row, right_storage, right);
  if (a == Loaded::failed || b == Loaded::failed) return Truth::unknown;
  if (a == Loaded::null || b == Loaded::null) return with_null(comparison, a == b);
  return truth(holds(comparison, compare(node.value_class, *left, *right)));
}

Truth Expression::match(const Node& node, const postgres::Tuple& row) const {
  Scalar left_storage;
  Scalar right_storage;
  const Scalar* text = nullptr;
  const Scalar* pattern = nullptr;
  if (load_operand(operands[node.first], row, left_storage, text) != Loaded::value ||
      load_operand(operands[node.first + 1], row, right_storage, pattern) != Loaded::value)
    return Truth::unknown;
  const auto matched = like(text->text, pattern->text,
                            node.detail == 1 ? LetterCase::ascii_folded : LetterCase::exact);
  return matched ? truth(*matched) : Truth::unknown;
}

Truth Expression::find(const Node& node, const postgres::Tuple& row) const {
  Scalar storage;
  const Scalar* value = nullptr;
  if (load_operand(operands[node.first], row, storage, value) != Loaded::value)
    return Truth::unknown;
  const auto begin = operands.begin() + node.first + 1;
  const auto end = begin + node.count;
  const auto found = std::lower_bound(begin, end, *value, [&](const Operand& a, const Scalar& b) {
    return compare(node.value_class, a.scalar, b) < 0;
  });
  if (found != end && compare(node.value_class, found->scalar, *value) == 0) return Truth::yes;
  return node.detail == 1 ? Truth::unknown : Truth::no;
}

Truth Expression::ask(const Node& node, const postgres::Tuple& row,
                      const Memberships* views) const {
  ASSERT(views != nullptr, "a membership test is evaluated under views");
  std::string value;
  for (std::uint32_t i = node.first; i < node.first + node.count; ++i) {
    ASSERT(operands[i].column < row.size(), "a row has every column that a condition reads");
    if (!append_link_cell(value, operands[i].loader, row[operands[i].column]))
      return Truth::unknown;
  }
  return views->holds(node.detail, value);
}

bool Expression::bind() {
  if (!load_constants()) return false;
  for (const Node& node : nodes)
    if (node.operation == Operation::member) sort_members(node);
  // Sorting moved the texts, and short strings carry their bytes with them.
  return load_constants();
}

bool Expression::load_constants() {
  return std::all_of(operands.begin(), operands.end(), [](Operand& operand) {
    return operand.source != Operand::Source::constant ||
           load(operand.loader, operand.text, operand.scalar);
  });
}

void Expression::sort_members(const Node& node) {
  const auto begin = operands.begin() + node.first + 1;
  std::vector<std::uint32_t> order(node.count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return compare(node.value_class, begin[a].scalar, begin[b].scalar) < 0;
  });
  std::vector<Operand> sorted;
  sorted.reserve(order.size());
  for (const std::uint32_t at : order) sorted.push_back(std::move(begin[at]));
  std::move(sorted.begin(), sorted.end(), begin);
}

void Expression::write(ByteWriter& out) const {
  out.number(operands.size());
  for (const Operand& operand : operands) {
    out.number(static_cast<std::uint64_t>(operand.source));
    out.number(static_cast<std::uint64_t>(operand.loader));
    out.number(operand.column);
    out.text(operand.text);
  }
  out.number(children.size());
  for (const std::uint32_t child : children) out.number(child);
  out.number(nodes.size());
  for (const Node& node : nodes) {
    out.number(static_cast<std::uint64_t>(node.operation));
    out.number(node.detail);
    out.number(static_cast<std::uint64_t>(node.value_class));
    out.number(node.first);
    out.number(node.count);
  }
}

bool Expression::read(ByteReader& in) {
  operands.resize(in.count());
  for (Operand& operand : operands) {
    operand.source = static_cast<Operand::Source>(in.number_up_to(2));
    operand.loader = static_cast<Loader>(in.number_up_to(k_last_loader));
    operand.column = static_cast<std::uint16_t>(in.number_up_to(0xffff));
    operand.text = in.text();
  }
  children.resize(in.count());
  for (std::uint32_t& child : children)
    child = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
  nodes.resize(in.count());
  for (Node& node : nodes) {
    node.operation = static_cast<Operation>(in.number_up_to(k_last_operation));
    node.detail = static_cast<std::uint8_t>(in.number_up_to(0xff));
    node.value_class = static_cast<ValueClass>(in.number_up_to(k_last_class));
    node.first = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
    node.count = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
  }
  return !in.failed() && well_formed() && bind();
}

bool Expression::well_formed() const {
  std::vector<unsigned> depths(nodes.size(), 1);
  const auto fits = [](std::uint64_t first, std::uint64_t count, std::size_t size) {
    return first + count <= size;
  };
  const auto of_class = [&](const Node& node, std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i)
      if (operands[i].source != Operand::Source::null &&
          class_of(operands[i].loader) != node.value_class)
        return false;
    return true;
  };
  for (std::uint32_t at = 0; at < nodes.size(); ++at) {
    const Node& node = nodes[at];
    std::uint32_t used_children = 0;
    switch (node.operation) {
      case Operation::constant:
        if (node.detail > 2) return false;
        break;
      case Operation::column:
        if (!fits(node.first, 1, operands.size()) || operands[node.first].loader != Loader::boolean)
          return false;
        break;
      case Operation::all_of:
      case Operation::any_of:
        used_children = node.count;
        break;
      case Operation::negate:
        used_children = 1;
        break;
      case Operation::truth_test:
        if (node.detail > 5) return false;
        used_children = 1;
        break;
      case Operation::is_null:
        break;
      case Operation::compare:
        if (node.detail > 7 || !fits(node.first, 2, operands.size()) ||
            !of_class(node, node.first, node.first + 2))
          return false;
        break;
      case Operation::compare_truth:
        if (node.detail > 7) return false;
        used_children = 2;
        break;
      case Operation::like:
        if (node.detail > 1 || node.value_class != ValueClass::text ||
            !fits(node.first, 2, operands.size()) || !of_class(node, node.first, node.first + 2))
          return false;
        break;
      case Operation::member:
        if (node.detail > 1 || !fits(node.first, std::uint64_t{1} + node.count, operands.size()) ||
            !of_class(node, node.first, node.first + 1 + node.count))
          return false;
        for (std::uint32_t i = 1; i <= node.count; ++i)
          if (operands[node.first + i].source != Operand::Source::constant) return false;
        break;
      case Operation::in_subquery:
        if (node.count == 0 || !fits(node.first, node.count, operands.size())) return false;
        for (std::uint32_t i = 0; i < node.count; ++i)
          if (operands[node.first + i].source != Operand::Source::column) return false;
        break;
    }
    if (!fits(node.first, used_children, used_children == 0 ? node.first : children.size()))
      return false;
    for (std::uint32_t i = 0; i < used_children; ++i) {
      const std::uint32_t child = children[node.first + i];
      if (child >= at) return false;
      depths[at] = std::max(depths[at], depths[child] + 1);
    }
    if (depths[at] > k_max_depth) return false;
  }
  return !nodes.empty();
}

}  // namespace holdfast::where
