// What Postgres decides about types before it evaluates: which type an unknown literal takes, which
// operators exist, how LIKE's spellings map. Used by the where compiler only. Errors throw Raised.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/postgres/where/expression.hpp"
#include "sim/postgres/where/parse_tree.hpp"

namespace holdfast::sim::postgres {

/// 0A000: valid SQL that the model does not interpret.
[[noreturn]] void unsupported(const std::string& what);
/// 42883.
[[noreturn]] void no_operator(const std::string& name, TypeId left, TypeId right);

/// The unqualified name of a list of String nodes; empty if there is none.
std::string last_name(const std::vector<TreeMessage>& names);

/// The type that values of these types are brought to, as the elements of an IN list are; nullopt:
/// they are of different kinds.
std::optional<TypeId> common_type(const std::vector<TypeId>& types);
/// An expression of another type of the same kind.
ExpressionRef convert(ExpressionRef term, TypeId to);

/// varchar behaves as text everywhere.
TypeId unified(TypeId type);
/// A literal whose type its context decides becomes a constant of that type.
ExpressionRef coerce(ExpressionRef term, TypeId to);
/// Types the unknown ones of a pair by the other; text if both are unknown.
void unify(ExpressionRef& left, ExpressionRef& right);
/// `term` as a text operand of `where`, an operator or function.
ExpressionRef text_operand(ExpressionRef term, const std::string& where);
/// `name` is ~~, !~~, ~~* or !~~*.
ExpressionRef like_operator(const std::string& name, ExpressionRef left, ExpressionRef right);

}  // namespace holdfast::sim::postgres
