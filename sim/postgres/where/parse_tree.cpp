#include "sim/postgres/where/parse_tree.hpp"

#include <pg_query.h>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

constexpr unsigned k_wire_varint = 0;
constexpr unsigned k_wire_bytes = 2;

std::uint64_t read_varint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    ASSERT(at < bytes.size(), "libpg_query serialises whole numbers");
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) break;
  }
  return value;
}

}  // namespace

bool TreeMessage::next(std::size_t& at, Field& field) const {
  if (at >= bytes_.size()) return false;
  const std::uint64_t key = read_varint(bytes_, at);
  field.number = static_cast<unsigned>(key >> 3U);
  field.varint = read_varint(bytes_, at);
  field.bytes = {};
  const unsigned wire = key & 7U;
  if (wire == k_wire_varint) return true;
  ASSERT(wire == k_wire_bytes, "Postgres' tree has only numbers, texts and messages");
  ASSERT(field.varint <= bytes_.size() - at, "libpg_query serialises whole fields");
  field.bytes = bytes_.substr(at, field.varint);
  at += field.varint;
  return true;
}

bool TreeMessage::has(unsigned wanted) const {
  Field field;
  for (std::size_t at = 0; next(at, field);)
    if (field.number == wanted) return true;
  return false;
}

std::uint64_t TreeMessage::number(unsigned wanted) const {
  Field field;
  for (std::size_t at = 0; next(at, field);)
    if (field.number == wanted) return field.varint;
  return 0;
}

std::string TreeMessage::text(unsigned wanted) const {
  Field field;
  for (std::size_t at = 0; next(at, field);)
    if (field.number == wanted) return std::string(field.bytes);
  return {};
}

TreeMessage TreeMessage::child(unsigned wanted) const {
  Field field;
  for (std::size_t at = 0; next(at, field);)
    if (field.number == wanted) return TreeMessage(field.bytes);
  return {};
}

std::vector<TreeMessage> TreeMessage::children(unsigned wanted) const {
  std::vector<TreeMessage> all;
  Field field;
  for (std::size_t at = 0; next(at, field);)
    if (field.number == wanted) all.emplace_back(field.bytes);
  return all;
}

unsigned TreeMessage::only_field() const {
  Field field;
  std::size_t at = 0;
  return next(at, field) ? field.number : 0;
}

SqlResult<std::string> parse_condition(const std::string& condition) {
  // Without a target: each node more costs a walk over the 240 alternatives of its wrapper.
  const std::string query = "SELECT WHERE " + condition;
  const PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(query.c_str());
  SqlResult<std::string> result = std::string(parsed.parse_tree.data, parsed.parse_tree.len);
  if (parsed.error != nullptr)
    result = Failure<SqlError>{{"42601", std::string(parsed.error->message)}};
  pg_query_free_protobuf_parse_result(parsed);
  if (!result) return result;
  const auto statements = TreeMessage(*result).children(2);
  if (statements.size() != 1) return Failure<SqlError>{{"42601", "one condition is expected"}};
  return result;
}

TreeMessage select_of(const std::string& tree) {
  const auto statements = TreeMessage(tree).children(2);
  ASSERT(statements.size() == 1, "a condition is one statement");
  return TreeNode(statements.front().child(1)).body;
}

}  // namespace holdfast::sim::postgres
