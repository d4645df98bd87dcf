// Postgres identifiers as requests spell them: `items`, `"Mixed Case"`, `public.items`, and lists
// of them (http-api.md §5.5, §5.6). The error is the sentence that the 400 carries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/catalog.hpp"

namespace holdfast::api {

/// Quotes removed, or folded to lower case (ASCII only, as Postgres does). Bytes beyond ASCII count
/// as letters, which is Postgres' own rule.
Result<std::string> parse_identifier(std::string_view text);

/// One identifier, or two joined by a dot; the schema defaults to `public`.
Result<postgres::RelationName> parse_relation_name(std::string_view text);

/// Identifiers joined by commas.
Result<std::vector<std::string>> parse_identifier_list(std::string_view text);

}  // namespace holdfast::api
