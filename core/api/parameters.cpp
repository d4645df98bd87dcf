#include "core/api/parameters.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

#include "core/api/error_responses.hpp"
#include "core/api/identifiers.hpp"
#include "core/api/parameter_tree.hpp"
#include "core/base/assert.hpp"

namespace holdfast::api {
namespace {

using nlohmann::json;
using protocol::Request;
using protocol::Response;

constexpr const char* k_invalid = "is invalid";
constexpr const char* k_blank = "can't be blank";

/// Everything a request may carry, with its type checked and nothing else (stage 1 of §5.4).
struct Fields {
  std::optional<std::string> table;
  std::optional<std::string> offset;
  std::optional<std::string> handle;
  std::optional<std::string> where;
  std::optional<std::string> cursor;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::optional<std::vector<std::string>> columns;
  std::optional<std::vector<std::string>> queryable_columns;
  shape::Replica replica = shape::Replica::only_changes;
  shape::LogMode log_mode = shape::LogMode::full;
  bool live = false;
  bool live_sse = false;
  bool compaction = false;
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos;
}

/// The value of a parameter, unless it counts as absent (§5.1).
const json* present(const ParameterValues& values, const char* name) {
  const json* const found = values.find(name);
  if (found == nullptr || found->is_null()) return nullptr;
  if (found->is_string() && is_blank(found->get_ref<const std::string&>())) return nullptr;
  return found;
}

class Caster {
 public:
  Caster(const ParameterValues& values, FieldErrors& errors) : values_(values), errors_(errors) {}

  std::optional<std::string> text(const char* name) {
    const json* value = present(values_, name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) return invalid(name);
    return value->get<std::string>();
  }

  /// One of two words; absent means the first.
  template <class Enum>
  Enum word(const char* name, std::pair<std::string_view, Enum> usual,
            std::pair<std::string_view, Enum> other) {
    const std::optional<std::string> given = text(name);
    if (!given || *given == usual.first) return usual.second;
    if (*given == other.first) return other.second;
    invalid(name);
    return usual.second;
  }

  std::optional<bool> boolean(const char* name, const char* reported_as) {
    const json* value = present(values_, name);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    if (*value == "true" || *value == "1") return true;
    if (*value == "false" || *value == "0") return false;
    invalid(reported_as);
    return std::nullopt;
  }

  /// §5.3: present with anything but the string `false` is true, even when empty.
  std::optional<bool> flag(const char* name) {
    const json* const found = values_.find(name);
    if (found == nullptr) return std::nullopt;
    return !(found->is_string() && *found == "false");
  }

  std::optional<std::vector<std::string>> identifiers(const char* name) {
    const json* value = present(values_, name);
    if (value == nullptr) return std::nullopt;
    if (value->is_array() && !value->empty()) return verbatim_list(name, *value);
    if (!value->is_string()) {
      invalid(name);
      return std::nullopt;
    }
    auto names = parse_identifier_list(value->get_ref<const std::string&>());
    if (names.ok()) return std::move(names).value();
    errors_[name].push_back(names.error().message);
    return std::nullopt;
  }

  std::vector<std::pair<std::string, std::string>> text_map(const char* name) {
    std::vector<std::pair<std::string, std::string>> entries;
    const json* value = present(values_, name);
    if (value == nullptr) return entries;
    const bool all_text =
        value->is_object() && std::all_of(value->begin(), value->end(),
                                          [](const json& entry) { return entry.is_string(); });
    if (!all_text) {
      invalid(name);
      return entries;
    }
    for (const auto& [key, entry] : value->items()) {
      entries.emplace_back(key, entry.get<std::string>());
    }
    return entries;
  }

 private:
  std::nullopt_t invalid(const char* name) {
    errors_[name].emplace_back(k_invalid);
    return std::nullopt;
  }

  std::optional<std::vector<std::string>> verbatim_list(const char* name, const json& list) {
    std::vector<std::string> names;
    for (const json& entry : list) {
      if (!entry.is_string()) return invalid(name);
      if (entry.get_ref<const std::string&>().empty()) {
        errors_[name].emplace_back("Invalid zero-length identifier");
        return std::nullopt;
      }
      names.push_back(entry.get<std::string>());
    }
    return names;
  }

  const ParameterValues& values_;
  FieldErrors& errors_;
};

enum class Route : std::uint8_t { read, remove };

/// Stage 1. A DELETE reads `live` and `live_sse` as plain booleans (§5.3).
Fields cast(const ParameterValues& values, Route route, FieldErrors& errors) {
  Caster caster(values, errors);
  Fields fields;
  fields.table = caster.text("table");
  fields.offset = caster.text("offset");
  fields.handle = caster.text("handle");
  fields.where = caster.text("where");
  fields.cursor = caster.text("cursor");
  fields.parameters = caster.text_map("params");
  fields.columns = caster.identifiers("columns");
  fields.queryable_columns = caster.identifiers("queryable_columns");
  fields.replica = caster.word<shape::Replica>("replica", {"default", shape::Replica::only_changes},
                                               {"full", shape::Replica::full});
  fields.log_mode = caster.word<shape::LogMode>("log", {"full", shape::LogMode::full},
                                                {"changes_only", shape::LogMode::changes_only});
  fields.compaction =
      caster.boolean("experimental_compaction", "experimental_compaction").value_or(false);
  if (route == Route::remove) {
    caster.boolean("live", "live");
    caster.boolean("live_sse", "live_sse");
    return fields;
  }
  fields.live = caster.flag("live").value_or(false);
  std::optional<bool> sse = caster.flag("live_sse");
  if (!sse) sse = caster.boolean("experimental_live_sse", "live_sse");
  fields.live_sse = sse.value_or(false);
  return fields;
}

FieldErrors one_error(const char* field, std::string message) {
  return {{field, {std::move(message)}}};
}

/// "17" -> 17; a sign is allowed as upstream's integers allow it. nullopt: no integer.
std::optional<std::int64_t> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    if (value < std::numeric_limits<std::int32_t>::max()) value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

/// §5.7: keys are the integers 1..n. Without a where clause nobody looks at the values.
Result<std::map<unsigned, std::string>, FieldErrors> number_parameters(const Fields& fields) {
  std::map<unsigned, std::string> numbered;
  if (!fields.where) return numbered;
  bool sequential = true;
  for (const auto& [key, value] : fields.parameters) {
    if (value.find('\0') != std::string::npos)  // Postgres has no text with one
      return Failure{one_error("params", "Parameters cannot contain null bytes")};
    const std::optional<std::int64_t> number = parse_integer(key);
    if (!number) return Failure{one_error("params", "Parameters can only use numbers as keys")};
    const auto count = static_cast<std::int64_t>(fields.parameters.size());
    sequential = sequential && *number >= 1 && *number <= count;
    if (sequential) numbered[static_cast<unsigned>(*number)] = value;
  }
  if (!sequential || numbered.size() != fields.parameters.size()) {
    return Failure{
        one_error("params", "Parameters must be numbered sequentially, starting from 1")};
  }
  return numbered;
}

/// Stages 7 and 8, as far as they need no catalogue.
Result<shape::DefinitionRequest, FieldErrors> read_definition(const Fields& fields) {
  if (!fields.table) return Failure{one_error("table", k_blank)};
  Result<postgres::RelationName> table = parse_relation_name(*fields.table);
  if (!table.ok()) return Failure{one_error("table", table.error().message)};
  auto parameters = number_parameters(fields);
  if (!parameters.ok()) return parameters.failure();
  return shape::DefinitionRequest{
      .table = std::move(table).value(),
      .columns = fields.columns ? fields.columns : fields.queryable_columns,
      .where = fields.where.value_or(""),
      .parameters = std::move(parameters).value(),
      .replica = fields.replica,
      .log_mode = fields.log_mode,
  };
}

/// Stages 3 and 4: sets offset and handle.
FieldErrors read_position(const Fields& fields, ShapeParameters& into) {
  if (*fields.offset == "now") return {};
  into.offset = protocol::LogOffset::parse(*fields.offset);
  if (!into.offset) return one_error("offset", "has invalid format");
  if (into.is_initial()) return {};
  if (!fields.handle) return one_error("handle", "can't be blank when offset != -1");
  into.handle = protocol::ShapeHandle{*fields.handle};
  return {};
}

/// Stages 5 and 6.
FieldErrors read_live(const Fields& fields, ShapeParameters& into) {
  if (fields.live && into.is_initial()) return one_error("live", "can't be true when offset == -1");
  if (fields.live && into.is_now()) return one_error("live", "can't be true when offset is 'now'");
  if (fields.live_sse && !fields.live) {
    return one_error("live_sse", "can't be true unless live is also true");
  }
  if (fields.live_sse) {
    return one_error("live_sse", "is not supported by this server; use long polling");
  }
  into.live = fields.live ? Live::long_poll : Live::no;
  return {};
}

/// Stage 9: this version serves no subsets, and says so.
FieldErrors check_subset(SubsetUse use) {
  switch (use) {
    case SubsetUse::none:
      return {};
    case SubsetUse::malformed:
      return one_error("subset", k_invalid);
    case SubsetUse::wanted:
      break;
  }
  return one_error("subset", "is not supported by this server");
}

const postgres::ColumnInfo* find_column(const postgres::RelationInfo& relation,
                                        const std::string& name) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const auto& column) { return column.name == name; });
  return found == relation.columns.end() ? nullptr : &*found;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::optional<Response> check_body(const Request& request, const ApiOptions& options) {
  if (request.method != "POST") return std::nullopt;
  const auto tree = read_query_and_body(request, options);
  return tree.ok() ? std::nullopt : std::optional<Response>(tree.error());
}

Result<ShapeParameters, Response> parse_shape_request(const Request& request,
                                                      const ApiOptions& options) {
  ASSERT(request.method == "GET" || request.method == "HEAD" || request.method == "POST",
         "only methods that read a shape come here");
  Result<ParameterTree, Response> tree = read_query_and_body(request, options);
  if (!tree.ok()) return tree.failure();

  ShapeParameters result;
  result.method = request.method == "POST" ? Method::post : Method::get;
  const auto refuse = [&](const FieldErrors& wrong) {
    return Failure{invalid_request(result.method, wrong)};
  };

  FieldErrors errors;
  const Fields fields = cast(tree->values, Route::read, errors);
  if (!fields.offset && !errors.contains("offset")) errors["offset"].emplace_back(k_blank);
  if (!errors.empty()) return refuse(errors);
  if (errors = read_position(fields, result); !errors.empty()) return refuse(errors);
  if (errors = read_live(fields, result); !errors.empty()) return refuse(errors);
  auto definition = read_definition(fields);
  if (!definition.ok()) return refuse(definition.error());
  if (errors = check_subset(tree->subset); !errors.empty()) return refuse(errors);

  result.definition = std::move(definition).value();
  result.queryable_columns = fields.queryable_columns;
  result.compaction = fields.compaction;
  result.previous_cursor = read_cursor(fields.cursor.value_or(""));
  result.if_none_match = read_if_none_match(request.headers);
  return result;
}

std::optional<shape::DefinitionError> check_queryable_columns(
    const ShapeParameters& parameters, const postgres::RelationInfo& relation) {
  if (!parameters.queryable_columns) return std::nullopt;
  const std::vector<std::string>& queryable = *parameters.queryable_columns;
  const bool keyless = std::none_of(relation.columns.begin(), relation.columns.end(),
                                    [](const auto& column) { return column.key_position > 0; });
  std::vector<std::string> missing;
  for (const postgres::ColumnInfo& column : relation.columns) {
    const bool in_key = keyless || column.key_position > 0;
    if (in_key && !contains(queryable, column.name)) missing.push_back(column.name);
  }
  if (!missing.empty()) {
    return shape::DefinitionError{
        "queryable_columns",
        "The list of queryable columns must include all primary key columns, missing: " +
            join(missing)};
  }
  std::vector<std::string> unknown;
  for (const std::string& name : queryable) {
    if (find_column(relation, name) == nullptr) unknown.push_back(name);
  }
  if (!unknown.empty()) {
    return shape::DefinitionError{
        "queryable_columns",
        "The following queryable columns are not found on the table: " + join(unknown)};
  }
  std::vector<std::string> outside;
  for (const std::string& name : parameters.definition.columns.value_or(queryable)) {
    if (!contains(queryable, name)) outside.push_back(name);
  }
  if (outside.empty()) return std::nullopt;
  return shape::DefinitionError{
      "columns", "The following columns are not found on the table: " + join(outside)};
}

Result<DeleteParameters, Response> parse_delete_request(const Request& request,
                                                        const ApiOptions& options) {
  ASSERT(request.method == "DELETE", "only a DELETE deletes");
  if (options.deletion == Deletion::refused) return Failure{deletion_refused()};
  const auto refuse = [](const FieldErrors& wrong) {
    return Failure{invalid_request(Method::remove, wrong)};
  };
  FieldErrors errors;
  const Fields fields = cast(read_query(request).values, Route::remove, errors);
  if (!errors.empty()) return refuse(errors);

  DeleteParameters result;
  if (fields.handle) result.handle = protocol::ShapeHandle{*fields.handle};
  if (!fields.table && !fields.handle) {
    return refuse(one_error("handle", "can't be blank when shape definition is missing"));
  }
  if (!fields.table) return result;
  auto definition = read_definition(fields);
  if (!definition.ok()) return refuse(definition.error());
  result.definition = std::move(definition).value();
  return result;
}

}  // namespace holdfast::api
