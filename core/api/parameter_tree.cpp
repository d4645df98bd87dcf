#include "core/api/parameter_tree.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/error_responses.hpp"

namespace holdfast::api {
namespace {

using nlohmann::json;
using protocol::Request;
using protocol::Response;

constexpr std::size_t k_max_key_depth = 8;     ///< a key nested deeper is taken literally
constexpr std::size_t k_max_json_depth = 128;  ///< far beyond what any client sends

/// Keys that mean the subset's clauses when they stand at the top of a body.
constexpr std::array<std::string_view, 7> k_flat_subset_keys = {
    "where", "order_by", "limit", "offset", "params", "where_expr", "order_by_expr"};

/// "a[b][]" -> {"a", "b", ""}. A key in another form is one literal part.
std::vector<std::string_view> split_key(std::string_view key) {
  const std::size_t open = key.find('[');
  if (open == std::string_view::npos || open == 0) return {key};
  std::vector<std::string_view> parts = {key.substr(0, open)};
  std::size_t at = open;
  while (at < key.size()) {
    const std::size_t close = key.find(']', at);
    if (key[at] != '[' || close == std::string_view::npos) return {key};
    parts.push_back(key.substr(at + 1, close - at - 1));
    at = close + 1;
  }
  if (parts.size() > k_max_key_depth) return {key};
  return parts;
}

void insert(ParameterValues& root, const std::vector<std::string_view>& parts,
            const std::string& value) {
  json* at = &root[parts.front()];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) {
      if (!at->is_array()) *at = json::array();
      at->push_back(nullptr);
      at = &at->back();
    } else {
      if (!at->is_object()) *at = json::object();
      at = &(*at)[std::string(parts[i])];
    }
  }
  *at = value;
}

/// What the key `subset` itself says, once query and body are one (§5.2).
SubsetUse read_subset_key(const ParameterValues& values) {
  const json* const found = values.find("subset");
  if (found == nullptr || found->is_null()) return SubsetUse::none;
  if (found->is_object() || found->is_array()) return SubsetUse::wanted;
  if (found->is_string() && found->get_ref<const std::string&>().empty()) return SubsetUse::none;
  return SubsetUse::malformed;
}

/// Any key that begins so switches subset mode on, whatever follows (§5.1).
bool has_prefixed_subset_key(const ParameterValues& values) {
  return std::any_of(values.begin(), values.end(),
                     [](const auto& value) { return value.first.starts_with("subset__"); });
}

void detect_subset(ParameterTree& tree) {
  if (tree.subset == SubsetUse::none) tree.subset = read_subset_key(tree.values);
  if (tree.subset == SubsetUse::none && has_prefixed_subset_key(tree.values)) {
    tree.subset = SubsetUse::wanted;
  }
}

/// Deepest nesting of brackets outside strings; an upper bound for text that is no JSON.
std::size_t nesting(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!quoted && (c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

std::string describe_parse_error(std::string_view body, std::size_t read_bytes) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  if (read_bytes == 0 || read_bytes > body.size()) return "unexpected end of input";
  const char c = body[read_bytes - 1];
  const auto byte = static_cast<unsigned char>(c);
  std::string text = "unexpected byte at position " + std::to_string(read_bytes - 1) + ": 0x";
  text += k_digits[byte >> 4];
  text += k_digits[byte & 15];
  if (byte >= 0x20 && byte < 0x7F) {
    text += " (\"";
    text += c;
    text += "\")";
  }
  return text;
}

Result<json, Response> parse_object(const std::string& body, const ApiOptions& options) {
  if (body.size() > options.max_body_bytes) return Failure{body_too_large()};
  if (nesting(body) > k_max_json_depth) return Failure{body_not_json("nested too deeply")};
  json document;
  std::string problem;
  try {
    document = json::parse(body);
  } catch (const json::parse_error& error) {
    problem = describe_parse_error(body, error.byte);
  } catch (const json::out_of_range&) {  // a number no double can hold
    problem = "number out of range";
  }
  if (!problem.empty()) return Failure{body_not_json(problem)};
  if (!document.is_object()) return Failure{body_not_object()};
  return document;
}

/// The three cases of §5.2.
void merge_body(ParameterTree& tree, json body) {
  const auto subset = body.find("subset");
  const bool nested = subset != body.end() && subset->is_object();
  for (auto& [key, value] : body.items()) {
    const bool flat = std::find(k_flat_subset_keys.begin(), k_flat_subset_keys.end(), key) !=
                      k_flat_subset_keys.end();
    if (flat && !nested) {
      tree.subset = SubsetUse::wanted;
    } else {
      tree.values[key] = std::move(value);
    }
  }
}

}  // namespace

const json* ParameterValues::find(std::string_view name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return &value;
  return nullptr;
}

json& ParameterValues::operator[](std::string_view name) {
  for (auto& [known, value] : values_)
    if (known == name) return value;
  return values_.emplace_back(std::string(name), nullptr).second;
}

ParameterTree read_query(const Request& request) {
  ParameterTree tree;
  tree.values.reserve(request.query.size());
  for (const auto& [key, value] : request.query) insert(tree.values, split_key(key), value);
  detect_subset(tree);
  return tree;
}

Result<ParameterTree, Response> read_query_and_body(const Request& request,
                                                    const ApiOptions& options) {
  ParameterTree tree = read_query(request);
  if (request.method != "POST" || request.body.empty()) return tree;
  Result<json, Response> body = parse_object(request.body, options);
  if (!body.ok()) return body.failure();
  tree.subset = SubsetUse::none;  // decided anew on the merged values
  merge_body(tree, std::move(body).value());
  detect_subset(tree);
  return tree;
}

}  // namespace holdfast::api
