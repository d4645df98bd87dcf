// One list of fields for each structure, used both to write it as JSON and to read it back, so that
// the two cannot disagree: `describe(fields, value)` names every field once. Reading is strict: a
// key that is unknown, missing or of another type, a number out of range is an error with its line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "scenarios/repro/strict_json.hpp"

namespace holdfast::scenarios {

using OrderedJson = nlohmann::ordered_json;

/// "12ms": whole numbers of the largest unit that gives one; ns, us, ms, s.
std::string to_text(Duration duration);
std::optional<Duration> parse_duration(std::string_view text);

/// Name and text, null for nullopt; in order, each name once.
using Texts = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// The first thing that is wrong with a file. Later ones would only be consequences.
class Complaint {
 public:
  void add(std::size_t line, const std::string& reason) {
    if (!text_) text_ = std::to_string(line) + ": " + reason;
  }
  const std::optional<std::string>& text() const { return text_; }

 private:
  std::optional<std::string> text_;
};

/// Writes the fields of one object. Optional ones that have their default are left out.
class FieldWriter {
 public:
  template <class T>
  void required(const char* name, const T& value) {
    object_[name] = encode(value);
  }
  template <class T>
  void optional(const char* name, const T& value, const T& by_default = {}) {
    if (!(value == by_default)) object_[name] = encode(value);
  }
  /// A value that is one of `names`, by position.
  template <class Enum>
  void one_of(const char* name, const Enum& value, std::span<const std::string_view> names) {
    object_[name] = names[static_cast<std::size_t>(value)];
  }
  template <class Enum>
  void optional_one_of(const char* name, const Enum& value,
                       std::span<const std::string_view> names) {
    if (value != Enum{}) one_of(name, value, names);
  }
  /// An object of texts or null; left out if empty.
  void texts(const char* name, const Texts& values);
  OrderedJson take() { return std::move(object_); }

  static OrderedJson encode(bool value) { return value; }
  static OrderedJson encode(std::uint64_t value) { return value; }
  static OrderedJson encode(unsigned value) { return value; }
  static OrderedJson encode(std::uint16_t value) { return value; }
  static OrderedJson encode(const std::string& value) { return value; }
  static OrderedJson encode(Duration value) { return to_text(value); }
  template <class T>
  static OrderedJson encode(const std::vector<T>& values) {
    OrderedJson list = OrderedJson::array();
    for (const T& value : values) list.push_back(encode(value));
    return list;
  }
  /// Anything that has a describe() of its own.
  template <class T>
  static OrderedJson encode(const T& value) {
    FieldWriter fields;
    describe(fields, value);
    return fields.take();
  }

 private:
  OrderedJson object_ = OrderedJson::object();
};

/// Reads the fields of one object into a value that holds the defaults.
class FieldReader {
 public:
  FieldReader(const JsonValue& object, Complaint& complaint)
      : object_(object), complaint_(complaint) {
    if (object.kind != JsonValue::Kind::object) expect("an object", object);
  }
  /// Every key must have been asked for.
  ~FieldReader() {
    if (object_.kind != JsonValue::Kind::object) return;
    for (const auto& [name, value] : object_.members)
      if (std::find(known_.begin(), known_.end(), name) == known_.end())
        complaint_.add(value.line, "unknown key '" + name + "'");
    if (missing_) complaint_.add(object_.line, "'" + *missing_ + "' is missing");
  }
  FieldReader(const FieldReader&) = delete;

  template <class T>
  void required(const char* name, T& value) {
    if (const JsonValue* found = get(name))
      decode(*found, value, name);
    else if (!missing_)
      missing_ = name;
  }
  template <class T>
  void optional(const char* name, T& value, const T& by_default = {}) {
    value = by_default;
    if (const JsonValue* found = get(name)) decode(*found, value, name);
  }
  template <class Enum>
  void one_of(const char* name, Enum& value, std::span<const std::string_view> names) {
    std::string word;
    required(name, word);
    const auto found = std::find(names.begin(), names.end(), word);
    if (found != names.end()) {
      value = static_cast<Enum>(found - names.begin());
    } else if (const JsonValue* given = object_.find(name)) {
      std::string known;
      for (const std::string_view each : names)
        known.append(known.empty() ? "" : ", ").append(each);
      complaint_.add(given->line,
                     std::string("'") + name + "' is '" + word + "'; there are: " + known);
    }
  }
  template <class Enum>
  void optional_one_of(const char* name, Enum& value, std::span<const std::string_view> names) {
    value = {};
    if (object_.find(name) != nullptr)
      one_of(name, value, names);
    else
      known_.emplace_back(name);
  }
  void texts(const char* name, Texts& values);
  /// nullptr: it is not there.
  const JsonValue* get(const char* name) {
    known_.emplace_back(name);
    return object_.find(name);
  }
  Complaint& complaint() { return complaint_; }

  void decode(const JsonValue& json, bool& value, const std::string& name);
  void decode(const JsonValue& json, std::uint64_t& value, const std::string& name);
  void decode(const JsonValue& json, unsigned& value, const std::string& name);
  void decode(const JsonValue& json, std::uint16_t& value, const std::string& name);
  void decode(const JsonValue& json, std::string& value, const std::string& name);
  void decode(const JsonValue& json, Duration& value, const std::string& name);
  template <class T>
  void decode(const JsonValue& json, std::vector<T>& values, const std::string& name) {
    if (json.kind != JsonValue::Kind::list) return expect("a list in '" + name + "'", json);
    for (const JsonValue& item : json.items) decode(item, values.emplace_back(), name);
  }
  template <class T>
  void decode(const JsonValue& json, T& value, const std::string&) {
    FieldReader fields(json, complaint_);
    describe(fields, value);
  }

 private:
  void expect(const std::string& wanted, const JsonValue& found) {
    complaint_.add(found.line, wanted + " is wanted, not " + std::string(name_of(found.kind)));
  }
  bool whole_number(const JsonValue& json, std::uint64_t most, const std::string& name);

  const JsonValue& object_;
  Complaint& complaint_;
  std::vector<std::string> known_;
  std::optional<std::string> missing_;  ///< the first; told last, since a typo explains it
};

}  // namespace holdfast::scenarios
