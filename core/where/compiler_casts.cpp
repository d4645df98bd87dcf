// Casts, written and implied, and how a typed part becomes an operand.
#include <utility>

#include "core/where/compiler.hpp"
#include "core/where/literal.hpp"

namespace holdfast::where {
namespace {

std::string describe(const Typed& part) {
  if (part.form == Typed::Form::column)
    return "reference " + part.sql.substr(1, part.sql.size() - 2) + " of type " +
           std::string(type_name(part.type));
  return "constant of type " + std::string(type_name(part.type));
}

/// Casts of a column that give what Postgres gives on every cell (where-clauses.md §11.1).
bool column_casts(const Typed& part, Type to) {
  const Type from = part.type;
  if (from == to) return true;
  if (from == Type::opaque || from == Type::unknown) return false;
  if (casts_implicitly(from, to)) return true;
  // To text only where the cell already is that text: not through another type's way of printing,
  // and not for a timestamptz, whose text depends on the session's time zone.
  const bool printed_alike =
      is_integer(part.column_type) && category(from) == Category::numeric && !is_float(from);
  return to == Type::text && from != Type::timestamptz &&
         (from == part.column_type || printed_alike);
}

}  // namespace

Compiler::Compiled<void> Compiler::give_type(Typed& part, Type type) {
  ASSERT(part.untyped(), "only an untyped part takes its type from the context");
  if (!part.null) {
    const auto value = read_literal(type, part.value);
    if (!value)
      return at(part.location,
                "invalid syntax for type " + std::string(type_name(type)) + ": " + part.value);
    if (part.parameter != 0) {
      parameter_types_.emplace(part.parameter, type);
      part.sql = quote_literal(part.value) + "::" + std::string(type_name(type));
    }
    part.value = *value;
  }
  part.type = type;
  return {};
}

Compiler::Compiled<Operand> Compiler::operand(Typed& part, Type type) {
  if (part.untyped())
    if (const auto typed = give_type(part, type); !typed) return typed.failure();
  Operand made;
  if (part.form == Typed::Form::column) {
    const auto loader = column_loader(part, type);
    if (!loader) return at(part.location, "Could not select an operator overload");
    made.source = Operand::Source::column;
    made.column = part.column;
    made.loader = *loader;
    return made;
  }
  ASSERT(part.form == Typed::Form::constant, "a computed truth is no operand");
  const auto own = own_loader(type);
  ASSERT(own, "a type that compares has a loader");
  made.loader = *own;
  if (part.null) return made;
  made.source = Operand::Source::constant;
  if (part.type == Type::date && type == Type::timestamp) {
    // Postgres compares the two without a cast, so that a date may lie beyond every timestamp.
    made.loader = Loader::date_as_timestamp;
    made.text = part.value;
    return made;
  }
  const auto value = cast_constant(part.type, type, part.value);
  if (!value) return at(part.location, "Could not select an operator overload");
  if (!*value) return at(0, "Failed to apply function to constant arguments");
  made.text = **value;
  return made;
}

Compiler::Compiled<std::uint32_t> Compiler::truth(Typed& part) {
  if (part.untyped())
    if (const auto typed = give_type(part, Type::boolean); !typed) return typed.failure();
  if (part.type != Type::boolean)
    return at(part.location, describe(part) + " is not castable to bool");
  if (part.form == Typed::Form::truth) return part.node;
  if (part.form == Typed::Form::constant) {
    const Truth value = part.null ? Truth::unknown : (part.value == "t" ? Truth::yes : Truth::no);
    return add(Operation::constant, static_cast<std::uint8_t>(value), ValueClass::boolean, 0, 0);
  }
  auto read = operand(part, Type::boolean);
  if (!read) return read.failure();
  into_.operands.push_back(std::move(*read));
  return add(Operation::column, 0, ValueClass::boolean,
             static_cast<std::uint32_t>(into_.operands.size() - 1), 0);
}

Compiler::Compiled<Type> Compiler::cast_target(const Message& type) {
  std::vector<std::string> names;
  for (const Message& name : type.messages(1)) names.emplace_back(name.node().text(1));
  if (names.size() > 1 && names.front() == "pg_catalog") names.erase(names.begin());
  std::string shown;
  for (const std::string& name : names) shown += (shown.empty() ? "" : ".") + name;
  const auto found = names.size() == 1 ? type_by_name(names.front()) : std::nullopt;
  if (!found || type.has(7) || type.number(3) != 0)
    return at(location_of(type, 8), "unsupported type " + shown + (type.has(7) ? "[]" : ""));
  // The evaluator would have to truncate and round as Postgres does; refused rather than ignored.
  if (type.has(5)) return at(location_of(type, 8), "type modifiers are not supported: " + shown);
  return *found;
}

Compiler::Compiled<Typed> Compiler::cast(const Message& node) {
  auto part = expression(node.message(1));
  if (!part) return part;
  const auto target = cast_target(node.message(2));
  if (!target) return target.failure();
  const Type to = *target;
  const std::string unknown_cast = "unknown cast from type " + std::string(type_name(part->type)) +
                                   " to type " + std::string(type_name(to));
  // A bare literal is text first, in every other respect than its spelling.
  if (part->untyped() && part->parameter != 0 && !part->null)
    if (const auto typed = give_type(*part, Type::text); !typed) return typed.failure();
  if (part->form == Typed::Form::truth) {
    if (to != Type::boolean) return at(part->location, unknown_cast);
  } else if (part->form == Typed::Form::column) {
    if (!column_casts(*part, to)) return at(part->location, unknown_cast);
    part->through_float4 = part->through_float4 || to == Type::float4;
    part->through_bpchar = part->through_bpchar || to == Type::bpchar;
  } else if (!part->null) {
    const Type from = part->untyped() ? Type::text : part->type;
    const auto value = cast_constant(from, to, part->value);
    if (!value) return at(part->location, unknown_cast);
    if (!*value)
      return at(0, "could not cast value " + quote_identifier(part->value) + " from " +
                       std::string(type_name(from)) + " to " + std::string(type_name(to)));
    part->value = **value;
  }
  part->sql = inside(*part, Precedence::sign) + "::" + std::string(type_name(to));
  part->precedence = Precedence::atom;
  part->type = to;
  return part;
}

}  // namespace holdfast::where
