// A compiled condition: a flat array of nodes over pre-parsed constants, evaluated on the texts of
// a row without allocating. Built once by the compiler or read back from its serialised form;
// immutable afterwards and shared by every process that evaluates it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/stream.hpp"
#include "core/where/byte_stream.hpp"
#include "core/where/condition.hpp"
#include "core/where/scalar.hpp"

namespace holdfast::where {

// The enumerations below are stored: never renumber.

enum class Comparison : std::uint8_t {
  equal = 0,
  not_equal = 1,
  less = 2,
  less_or_equal = 3,
  greater = 4,
  greater_or_equal = 5,
  distinct = 6,
  not_distinct = 7,
};

enum class TruthTest : std::uint8_t {
  is_true = 0,
  is_not_true = 1,
  is_false = 2,
  is_not_false = 3,
  is_unknown = 4,
  is_not_unknown = 5,
};

enum class Operation : std::uint8_t {
  constant = 0,       ///< detail: a Truth
  column = 1,         ///< first: operand, a boolean column
  all_of = 2,         ///< children [first, first + count)
  any_of = 3,         ///< children [first, first + count)
  negate = 4,         ///< children [first]
  truth_test = 5,     ///< children [first]; detail: a TruthTest
  is_null = 6,        ///< first: number of a column
  compare = 7,        ///< operands first, first + 1; detail: a Comparison
  compare_truth = 8,  ///< children first, first + 1; detail: a Comparison
  like = 9,           ///< operands first, first + 1; detail: 1 if letters fold
  member = 10,        ///< operand first; operands [first + 1, first + 1 + count) are constants,
                      ///< ascending, not NULL; detail: 1 if the list also held NULL
  in_subquery = 11,   ///< operands [first, first + count), columns, are the left side; detail: the
                      ///< number of the dependency
};
inline constexpr std::uint8_t k_last_operation = 11;
inline constexpr std::size_t k_max_dependencies = 256;

struct Node {
  Operation operation = Operation::constant;
  std::uint8_t detail = 0;
  ValueClass value_class = ValueClass::boolean;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// A column read by a loader, or a constant that was read by it once.
struct Operand {
  enum class Source : std::uint8_t { column = 0, constant = 1, null = 2 };
  Source source = Source::null;
  Loader loader = Loader::text;
  std::uint16_t column = 0;
  std::string text;  ///< of a constant
  Scalar scalar;     ///< of a constant; views into `text`
};

class Expression {
 public:
  /// How deep evaluate() may recurse; the compiler's own limit on nesting is below it.
  static constexpr unsigned k_max_depth = 256;

  Expression() = default;
  Expression(const Expression&) = delete;  // scalars view into the operands' own texts
  Expression& operator=(const Expression&) = delete;

  /// REQUIRES: `views`, if a node is a membership test.
  Truth evaluate(const postgres::Tuple& row, const Memberships* views = nullptr) const {
    return evaluate(nodes.back(), row, views);
  }
  Truth evaluate_node(std::uint32_t node, const postgres::Tuple& row,
                      const Memberships& views) const {
    return evaluate(nodes[node], row, &views);
  }

  /// Reads all constants. Call once, when nothing is added any more. False: one does not read.
  bool bind();
  void write(ByteWriter& out) const;
  /// Checks everything evaluate() relies on, so that damaged bytes are refused, never run.
  bool read(ByteReader& in);

  std::vector<Node> nodes;  ///< children come before their parents; the root is last
  std::vector<std::uint32_t> children;
  std::vector<Operand> operands;

 private:
  Truth evaluate(const Node& node, const postgres::Tuple& row, const Memberships* views) const;
  Truth compare_values(const Node& node, const postgres::Tuple& row) const;
  Truth match(const Node& node, const postgres::Tuple& row) const;
  Truth find(const Node& node, const postgres::Tuple& row) const;
  Truth ask(const Node& node, const postgres::Tuple& row, const Memberships* views) const;
  bool load_constants();
  void sort_members(const Node& node);
  bool well_formed() const;
};

Truth negated(Truth value);

/// The answer of a comparison that is not about NULL.
bool holds(Comparison comparison, std::strong_ordering order);

}  // namespace holdfast::where
