#include "core/where/clause_tree.hpp"

#include <pg_query.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast::where {
namespace {

/// One field of a protobuf message on the wire.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;  ///< of a varint
  std::string_view bytes;   ///< of a length-delimited field
};

/// Reads the next field off the front. nullopt at the end; libpg_query writes no other wire types.
std::optional<Field> take_field(std::string_view& rest) {
  const auto varint = [&rest]() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) break;
    }
    return value;
  };
  if (rest.empty()) return std::nullopt;
  Field field;
  const std::uint64_t tag = varint();
  field.number = static_cast<std::uint32_t>(tag >> 3);
  if ((tag & 7) == 0) {
    field.value = varint();
    return field;
  }
  ASSERT((tag & 7) == 2, "a parse tree holds numbers and length-delimited fields only");
  const std::uint64_t size = varint();
  ASSERT(size <= rest.size(), "a field of a parse tree ends inside its message");
  field.bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return field;
}

std::optional<Field> find_field(std::string_view bytes, std::uint32_t number) {
  while (const auto field = take_field(bytes))
    if (field->number == number) return field;
  return std::nullopt;
}

/// Words that start nested syntax without parentheses and may hold AND inside.
bool nests_for_good(std::int64_t keyword_kind, std::string_view word) {
  constexpr std::int64_t k_type_or_function_name = 3;
  constexpr std::int64_t k_reserved = 4;
  if (keyword_kind != k_type_or_function_name && keyword_kind != k_reserved) return false;
  constexpr std::array<std::string_view, 18> k_flat = {
      "and",     "or",       "not",  "null",      "true",       "false", "in", "is",   "isnull",
      "notnull", "distinct", "from", "symmetric", "asymmetric", "cast",  "as", "like", "ilike"};
  return std::find(k_flat.begin(), k_flat.end(), word) == k_flat.end();
}

/// Tokens that add no depth of their own: names, literals, parameters, comments.
bool is_leaf(std::int64_t token) {
  return (token >= 258 && token <= 264) || token == 266 || token == 267 || token == 275 ||
         token == 276;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Depth so far inside one pair of parentheses (see nesting_depth).
struct Level {
  unsigned lasting = 0;   ///< words that nest for good
  unsigned segment = 0;   ///< since the last AND, OR or comma
  unsigned deepest = 0;   ///< the largest segment
  unsigned betweens = 0;  ///< BETWEENs whose AND is still to come
  unsigned depth() const { return lasting + std::max(segment, deepest); }
};

WhereError refuse(std::string message) {
  return {std::move(message)};
}

bool has_zero_byte(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

/// Whether a SelectStmt is nothing but a target list and a WHERE.
bool is_plain_select(const Message& select) {
  constexpr std::uint32_t k_clauses[] = {1, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 18, 19, 20};
  for (const std::uint32_t field : k_clauses)
    if (select.has(field)) return false;
  return select.number(17) <= 1 && select.number(14) <= 1;  // no set operation, no LIMIT option
}

struct FreeParse {
  void operator()(PgQueryProtobufParseResult* result) const {
    pg_query_free_protobuf_parse_result(*result);
  }
};
struct FreeScan {
  void operator()(PgQueryScanResult* result) const { pg_query_free_scan_result(*result); }
};

}  // namespace

Message Message::message(std::uint32_t field) const {
  const auto found = find_field(bytes_, field);
  return found ? Message(found->bytes) : Message();
}

std::vector<Message> Message::messages(std::uint32_t field) const {
  std::vector<Message> found;
  std::string_view rest = bytes_;
  while (const auto next = take_field(rest))
    if (next->number == field) found.emplace_back(next->bytes);
  return found;
}

std::string_view Message::text(std::uint32_t field) const {
  const auto found = find_field(bytes_, field);
  return found ? found->bytes : std::string_view();
}

std::int64_t Message::number(std::uint32_t field) const {
  const auto found = find_field(bytes_, field);
  return found ? static_cast<std::int64_t>(found->value) : 0;
}

bool Message::has(std::uint32_t field) const {
  return find_field(bytes_, field).has_value();
}

std::uint32_t Message::kind() const {
  std::string_view rest = bytes_;
  const auto field = take_field(rest);
  return field ? field->number : 0;
}

Message Message::node() const {
  std::string_view rest = bytes_;
  const auto field = take_field(rest);
  return field ? Message(field->bytes) : Message();
}

std::string_view node_name(std::uint32_t kind) {
  static constexpr std::pair<std::uint32_t, std::string_view> k_names[] = {
      {7, "GroupingFunc"},      {11, "NamedArgExpr"},  {16, "BoolExpr"},        {17, "SubLink"},
      {27, "CaseExpr"},         {31, "RowExpr"},       {33, "CoalesceExpr"},    {34, "MinMaxExpr"},
      {35, "SQLValueFunction"}, {36, "XmlExpr"},       {37, "NullTest"},        {38, "BooleanTest"},
      {41, "SetToDefault"},     {42, "CurrentOfExpr"}, {171, "A_Expr"},         {172, "ColumnRef"},
      {173, "ParamRef"},        {174, "FuncCall"},     {175, "A_Star"},         {176, "A_Indices"},
      {177, "A_Indirection"},   {178, "A_ArrayExpr"},  {180, "MultiAssignRef"}, {181, "TypeCast"},
      {182, "CollateClause"},   {190, "TypeName"},     {233, "String"},         {235, "List"},
      {238, "A_Const"}};
  for (const auto& [number, name] : k_names)
    if (number == kind) return name;
  return "Node";
}

// Every pair of parentheses and every operator or keyword between two of AND, OR and comma may add
// one level; AND, OR and commas make flat lists. Literals and names add none.
unsigned nesting_depth(const std::string& sql) {
  PgQueryScanResult scan = pg_query_scan(sql.c_str());
  const std::unique_ptr<PgQueryScanResult, FreeScan> guard(&scan);
  if (scan.error != nullptr)
    return 0;  // the parser stops at the same token, before any tree exists
  std::vector<Level> levels(1);
  unsigned open = 0;  // what the levels below the innermost add up to
  unsigned deepest = 0;
  for (const Message& token : Message({scan.pbuf.data, scan.pbuf.len}).messages(2)) {
    const auto start = static_cast<std::size_t>(token.number(1));
    const std::string word = lower(
        std::string_view(sql).substr(start, static_cast<std::size_t>(token.number(2)) - start));
    Level& level = levels.back();
    if (word == "(" || word == "[") {
      open += level.depth() + 1;
      levels.emplace_back();
    } else if ((word == ")" || word == "]") && levels.size() > 1) {
      const unsigned inner = level.depth() + 1;
      levels.pop_back();
      open -= levels.back().depth() + 1;
      levels.back().segment += inner;
    } else if (word == "," || word == "or" || (word == "and" && level.betweens == 0)) {
      level.deepest = std::max(level.deepest, level.segment);
      level.segment = 0;
    } else if (word == "and") {
      --level.betweens;
    } else if (nests_for_good(token.number(5), word)) {
      ++level.lasting;
    } else if (!is_leaf(token.number(4))) {
      level.betweens += word == "between" ? 1 : 0;
      level.segment += word == "." ? 0 : 1;
    }
    deepest = std::max(deepest, open + levels.back().depth());
  }
  return deepest;
}

Result<ParsedClause, WhereError> ParsedClause::parse(std::string_view text) {
  if (has_zero_byte(text)) return Failure{refuse("invalid byte sequence: a NUL character")};
  // As long as upstream's "SELECT 1 WHERE ", whose positions errors report; without its target
  // list, which costs the library a third of the parse.
  const std::string sql = "SELECT   WHERE " + std::string(text);
  if (sql.size() > k_max_query_bytes)
    return Failure{refuse("cannot parse query: query size " + std::to_string(sql.size()) +
                          " is bigger than maximum size " + std::to_string(k_max_query_bytes))};
  // A text without that many bytes has not that many levels.
  if (text.size() > k_max_depth && nesting_depth(sql) > k_max_depth)
    return Failure{refuse("the clause is nested too deeply: more than " +
                          std::to_string(k_max_depth) + " levels")};
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(sql.c_str());
  const std::unique_ptr<PgQueryProtobufParseResult, FreeParse> guard(&parsed);
  if (parsed.error != nullptr)
    return Failure{refuse("At location " +
                          std::to_string(std::max(parsed.error->cursorpos - 1, 0)) + ": " +
                          parsed.error->message)};
  ParsedClause clause;
  clause.bytes_.assign(parsed.parse_tree.data, parsed.parse_tree.len);
  const std::vector<Message> statements = Message(clause.bytes_).messages(2);
  if (statements.size() != 1) return Failure{refuse("unescaped \";\" causing statement split")};
  const Message select = statements.front().message(1).node();
  const Message where = select.message(5);
  if (!is_plain_select(select) || !where)
    return Failure{refuse("malformed query ending with SQL clauses")};
  const std::string_view bytes = select.text(5);
  clause.begin_ = static_cast<std::size_t>(bytes.data() - clause.bytes_.data());
  clause.size_ = bytes.size();
  return clause;
}

Message ParsedClause::root() const {
  return Message(std::string_view(bytes_).substr(begin_, size_));
}

}  // namespace holdfast::where
