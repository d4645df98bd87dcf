#include "scenarios/repro/repro.hpp"

#include <algorithm>
#include <charconv>

#include "scenarios/repro/fields.hpp"
#include "scenarios/repro/plan_json.hpp"

namespace holdfast::scenarios {
namespace {

/// What fits into so many columns stays on its line.
constexpr std::size_t k_columns = 100;

/// What a run said may hold any bytes; a file is UTF-8.
std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

/// Objects and lists one item a line, unless they are short.
void write(std::string& text, const OrderedJson& json, std::size_t indent) {
  const std::string line = dump(json);
  if (!json.is_structured() || json.empty() || line.size() + indent <= k_columns) {
    text += line;
    return;
  }
  const bool object = json.is_object();
  text += object ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    text += first ? "\n" : ",\n";
    first = false;
    text.append(indent + 1, ' ');
    if (object) text += dump(key) + ": ";
    write(text, value, indent + 1);
  }
  text += "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

std::optional<Hash128> parse_hash(std::string_view hex) {
  Hash128 hash;
  if (hex.size() != 32 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  std::from_chars(hex.data(), hex.data() + 16, hash.high, 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, hash.low, 16);
  return hash;
}

template <class Fields>
void describe(Fields& fields, const Verdict& verdict) {
  fields.required("property", verdict.property);
  fields.required("what", verdict.what);
}

void read_verdict(FieldReader& fields, Repro& repro) {
  const JsonValue* const json = fields.get("verdict");
  if (json == nullptr || json->kind == JsonValue::Kind::null) return;
  Verdict& verdict = repro.verdict.emplace();
  FieldReader inner(*json, fields.complaint());
  inner.required("property", verdict.property);
  inner.required("what", verdict.what);
}

void read_hash(FieldReader& fields, Repro& repro) {
  const JsonValue* const json = fields.get("trace_hash");
  if (json == nullptr) return;
  repro.trace_hash = json->kind == JsonValue::Kind::text ? parse_hash(json->text) : std::nullopt;
  if (!repro.trace_hash)
    fields.complaint().add(json->line, "'trace_hash' is 32 digits from 0 to 9 and a to f");
}

void read_guards(FieldReader& fields, Repro& repro) {
  fields.optional("without", repro.without);
  const JsonValue* const json = fields.get("without");
  for (std::size_t i = 0; i < repro.without.size(); ++i)
    if (!Weakened{}.without(repro.without[i]))
      fields.complaint().add(json->items[i].line,
                             "no guard or mutant is called '" + repro.without[i] + "'");
}

void read_scenario(FieldReader& fields, Plan& plan) {
  fields.required("scenario", plan.scenario);
  fields.required("seed", plan.seed);
  const std::vector<std::string> known = scenario_names();
  const JsonValue* const json = fields.get("scenario");
  if (json != nullptr && std::find(known.begin(), known.end(), plan.scenario) == known.end())
    fields.complaint().add(json->line, "no scenario is called '" + plan.scenario + "'");
}

void read(const JsonValue& json, Repro& repro, Complaint& complaint) {
  const JsonValue* const format = json.find("format");
  if (format != nullptr && format->kind == JsonValue::Kind::whole && format->whole == 1)
    return complaint.add(format->line,
                         "format 1 holds no plan; replay its seed instead of the file");
  FieldReader fields(json, complaint);
  std::uint64_t number = 0;
  fields.required("format", number);
  if (format != nullptr && number != Repro::k_format)
    return complaint.add(format->line, "format " + std::to_string(number) +
                                           " is unknown; this version reads format " +
                                           std::to_string(Repro::k_format));
  fields.optional("about", repro.about);
  fields.optional("holdfast", repro.build);
  read_scenario(fields, repro.plan);
  read_guards(fields, repro);
  read_verdict(fields, repro);
  read_hash(fields, repro);
  if (const JsonValue* const plan = fields.get("plan"))
    plan_from_json(*plan, repro.plan, complaint);
  else
    complaint.add(json.line, "'plan' is missing");
}

}  // namespace

Weakened Repro::weakened() const {
  Weakened weakened;
  for (const std::string& name : without) weakened.without(name);
  return weakened;
}

std::string to_text(const Repro& repro) {
  FieldWriter fields;
  fields.required("format", Repro::k_format);
  fields.optional("about", repro.about);
  fields.optional("holdfast", repro.build);
  fields.required("scenario", repro.plan.scenario);
  fields.required("seed", repro.plan.seed);
  fields.optional("without", repro.without);
  OrderedJson json = fields.take();
  json["verdict"] = nullptr;
  if (repro.verdict) {
    FieldWriter verdict;
    describe(verdict, *repro.verdict);
    json["verdict"] = verdict.take();
  }
  if (repro.trace_hash) json["trace_hash"] = repro.trace_hash->to_hex();
  json["plan"] = plan_to_json(repro.plan);
  std::string text;
  write(text, json, 0);
  return text + "\n";
}

Result<Repro> parse_repro(std::string_view text, const std::string& name) {
  const auto json = parse_json(text);
  if (!json.ok()) return fail(name + ":" + json.error().message);
  Repro repro;
  Complaint complaint;
  read(*json, repro, complaint);
  if (complaint.text()) return fail(name + ":" + *complaint.text());
  return repro;
}

}  // namespace holdfast::scenarios
