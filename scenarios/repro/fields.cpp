#include "scenarios/repro/fields.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace holdfast::scenarios {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::array<Unit, 4> k_units = {
    {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};

/// More virtual time than any run has; keeps sums of durations far from overflow.
constexpr std::int64_t k_longest_ns = 24LL * 3'600 * 1'000'000'000;

}  // namespace

std::string to_text(Duration duration) {
  const std::int64_t count = duration.count();
  if (count == 0) return "0ms";
  for (const Unit& unit : k_units)
    if (count % unit.nanoseconds == 0)
      return std::to_string(count / unit.nanoseconds) + std::string(unit.name);
  return std::to_string(count) + "ns";
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count < 0) return std::nullopt;
  const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
  for (const Unit& unit : k_units)
    if (unit.name == name && count <= k_longest_ns / unit.nanoseconds)
      return Duration{count * unit.nanoseconds};
  return std::nullopt;
}

void FieldWriter::texts(const char* name, const Texts& values) {
  if (values.empty()) return;
  OrderedJson object = OrderedJson::object();
  for (const auto& [key, text] : values) object[key] = text ? OrderedJson(*text) : OrderedJson();
  object_[name] = std::move(object);
}

void FieldReader::texts(const char* name, Texts& values) {
  values.clear();
  const JsonValue* const object = get(name);
  if (object == nullptr) return;
  if (object->kind != JsonValue::Kind::object)
    return expect(std::string("an object for '") + name + "'", *object);
  for (const auto& [key, value] : object->members) {
    values.emplace_back(key, std::nullopt);
    if (value.kind != JsonValue::Kind::null) decode(value, values.back().second.emplace(), key);
  }
}

bool FieldReader::whole_number(const JsonValue& json, std::uint64_t most, const std::string& name) {
  if (json.kind != JsonValue::Kind::whole) {
    expect("a whole number, not below zero, for '" + name + "'", json);
    return false;
  }
  if (json.whole > most) {
    complaint_.add(json.line, "'" + name + "' is " + std::to_string(json.whole) +
                                  ", which is more than " + std::to_string(most));
    return false;
  }
  return true;
}

void FieldReader::decode(const JsonValue& json, std::uint64_t& value, const std::string& name) {
  if (whole_number(json, std::numeric_limits<std::uint64_t>::max(), name)) value = json.whole;
}

void FieldReader::decode(const JsonValue& json, unsigned& value, const std::string& name) {
  if (whole_number(json, 1'000'000, name)) value = static_cast<unsigned>(json.whole);
}

void FieldReader::decode(const JsonValue& json, std::uint16_t& value, const std::string& name) {
  if (whole_number(json, 1'000, name)) value = static_cast<std::uint16_t>(json.whole);
}

void FieldReader::decode(const JsonValue& json, bool& value, const std::string& name) {
  if (json.kind != JsonValue::Kind::boolean)
    return expect("true or false for '" + name + "'", json);
  value = json.boolean;
}

void FieldReader::decode(const JsonValue& json, std::string& value, const std::string& name) {
  if (json.kind != JsonValue::Kind::text) return expect("a text for '" + name + "'", json);
  value = json.text;
}

void FieldReader::decode(const JsonValue& json, Duration& value, const std::string& name) {
  const auto duration =
      json.kind == JsonValue::Kind::text ? parse_duration(json.text) : std::nullopt;
  if (!duration)
    return complaint_.add(json.line, "'" + name +
                                         "' is no duration; one is written \"12ms\", with ns, us, "
                                         "ms or s, and no longer than a day");
  value = *duration;
}

}  // namespace holdfast::scenarios
