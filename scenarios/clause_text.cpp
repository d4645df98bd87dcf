#include "scenarios/clause_text.hpp"

#include <pg_query.h>

#include <algorithm>
#include <cctype>

namespace holdfast::scenarios {
namespace {

/// Equal for all texts of one clause, and for few others. In no order: NOT (a IN b) is a NOT IN b.
std::string skeleton(const std::string& clause) {
  std::string kept;
  for (const char c : clause)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      kept += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// As Postgres prints it; what it cannot parse, as it is.
std::string printed(const std::string& clause) {
  const PgQueryProtobufParseResult parsed =
      pg_query_parse_protobuf(("SELECT 1 WHERE " + clause).c_str());
  std::string text = clause;
  if (parsed.error == nullptr) {
    const PgQueryDeparseResult result = pg_query_deparse_protobuf(parsed.parse_tree);
    if (result.error == nullptr) text = result.query;
    pg_query_free_deparse_result(result);
  }
  pg_query_free_protobuf_parse_result(parsed);
  return text;
}

}  // namespace

bool same_clause(const std::string& a, const std::string& b) {
  return a == b || (skeleton(a) == skeleton(b) && printed(a) == printed(b));
}

}  // namespace holdfast::scenarios
