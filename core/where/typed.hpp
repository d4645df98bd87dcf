// One sub-expression while a clause is compiled: its type, what it is made of, and its canonical
// SQL. And the rules that choose a common type for several of them, as Postgres chooses it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/where/scalar.hpp"
#include "core/where/value_types.hpp"

namespace holdfast::where {

/// Binding strength of an expression's outermost operator in Postgres' grammar.
enum class Precedence : std::uint8_t {
  any_of,
  all_of,
  negation,
  is_test,
  comparison,
  pattern,
  sign,
  atom
};

struct Typed {
  enum class Form : std::uint8_t {
    column,
    constant,
    truth,  ///< a boolean computed by a node
  };
  Form form = Form::constant;
  Type type = Type::unknown;
  int location = 0;  ///< byte in the user's text

  std::string sql;
  Precedence precedence = Precedence::atom;

  std::uint16_t column = 0;          ///< of a column
  Type column_type = Type::unknown;  ///< before casts
  bool through_float4 = false;       ///< a cast of it passed through float4's precision
  bool through_bpchar = false;       ///< or lost trailing blanks to bpchar

  bool null = false;       ///< of a constant
  std::string value;       ///< as its type prints it; of an untyped literal, as it was written
  unsigned parameter = 0;  ///< an untyped parameter's number

  std::uint32_t node = 0;  ///< of a truth

  bool untyped() const { return type == Type::unknown; }
};

/// The expression's SQL, in parentheses unless it binds more tightly than `outer`.
std::string inside(const Typed& part, Precedence outer);
std::string quote_literal(std::string_view text);
std::string quote_identifier(std::string_view name);

/// The type in which a comparison operator of Postgres compares the two; nullopt: there is none.
std::optional<Type> comparison_type(Type left, Type right);

/// What Postgres' IN makes of its left side and its constants; nullopt: they have nothing in
/// common.
std::optional<Type> common_type(const std::vector<Type>& types);

/// The loader that reads a column's cells as values of `target`; nullopt: no cast leads there.
std::optional<Loader> column_loader(const Typed& column, Type target);

}  // namespace holdfast::where
