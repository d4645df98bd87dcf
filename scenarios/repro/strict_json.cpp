#include "scenarios/repro/strict_json.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

namespace holdfast::scenarios {
namespace {

using nlohmann::json;

constexpr std::size_t k_deepest = 32;

/// Lets the parser read, and shows how far it has come.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Cursor(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  Cursor operator++(int) {
    const Cursor before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* taken_;
};

/// Builds a JsonValue from the parser's events.
class Builder {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  std::size_t taken = 0;
  JsonValue result;
  std::optional<std::string> reason;
  std::size_t wrong_line = 0;

  bool null() { return scalar(JsonValue::Kind::null).has_value(); }
  bool boolean(bool value) {
    const auto added = scalar(JsonValue::Kind::boolean);
    if (added) (*added)->boolean = value;
    return added.has_value();
  }
  bool number_integer(json::number_integer_t value) {
    if (value >= 0) return number_unsigned(static_cast<std::uint64_t>(value));
    return scalar(JsonValue::Kind::negative).has_value();
  }
  bool number_unsigned(json::number_unsigned_t value) {
    const auto added = scalar(JsonValue::Kind::whole);
    if (added) (*added)->whole = value;
    return added.has_value();
  }
  bool number_float(json::number_float_t, const std::string&) {
    return scalar(JsonValue::Kind::fraction).has_value();
  }
  bool string(std::string& value) {
    const auto added = scalar(JsonValue::Kind::text);
    if (added) (*added)->text = std::move(value);
    return added.has_value();
  }
  bool binary(json::binary_t&) { return complain("holds binary data"); }
  bool start_object(std::size_t) { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t) { return open(JsonValue::Kind::list); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    if (open_.back()->find(name) != nullptr) return complain("'" + name + "' stands there twice");
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    taken = std::min(position, text_.size());
    if (std::string_view(error.what()).find("unexpected end of input") != std::string_view::npos)
      return complain("the text ends too early");
    return complain("is no JSON: " + line_text(taken));
  }

 private:
  /// Lines up to the character taken last; a number's end is known only from the one behind it.
  std::size_t line(bool number) {
    std::size_t end = std::min(taken, text_.size());
    if (number && end > 0 && text_[end - 1] == '\n') --end;
    if (end < counted_to_) {
      counted_to_ = 0;
      lines_ = 1;
    }
    lines_ += static_cast<std::size_t>(
        std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_to_),
                   text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    counted_to_ = end;
    return lines_;
  }
  /// The line of the last character taken, without what indents it.
  std::string line_text(std::size_t end) const {
    const std::size_t before = text_.rfind('\n', end > 0 ? end - 1 : 0);
    std::size_t begin = before == std::string_view::npos || end == 0 ? 0 : before + 1;
    if (begin >= end) begin = end > 0 ? end - 1 : 0;
    const std::string_view rest = text_.substr(begin);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    return std::string(line.substr(std::min(line.find_first_not_of(' '), line.size()), 60));
  }
  bool complain(std::string why) {
    reason = std::move(why);
    wrong_line = line(false);
    return false;
  }
  std::optional<JsonValue*> scalar(JsonValue::Kind kind) {
    JsonValue& place = make_place();
    place.kind = kind;
    place.line = line(kind == JsonValue::Kind::whole || kind == JsonValue::Kind::negative ||
                      kind == JsonValue::Kind::fraction);
    return &place;
  }
  JsonValue& make_place() {
    if (open_.empty()) return result;
    JsonValue& parent = *open_.back();
    if (parent.kind == JsonValue::Kind::list) return parent.items.emplace_back();
    return parent.members.emplace_back(JsonValue::Member{std::move(key_), JsonValue{}}).second;
  }
  bool open(JsonValue::Kind kind) {
    if (open_.size() >= k_deepest) return complain("is nested too deeply");
    JsonValue& place = make_place();
    place.kind = kind;
    place.line = line(false);
    open_.push_back(&place);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  /// From the outermost to the innermost. A value's address is good while it is open: its siblings
  /// come after its end.
  std::vector<JsonValue*> open_;
  std::string key_;
  std::size_t counted_to_ = 0;
  std::size_t lines_ = 1;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  for (const auto& [key, value] : members)
    if (key == name) return &value;
  return nullptr;
}

std::string_view name_of(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::null:
      return "null";
    case JsonValue::Kind::boolean:
      return "true or false";
    case JsonValue::Kind::whole:
      return "a whole number";
    case JsonValue::Kind::negative:
      return "a negative number";
    case JsonValue::Kind::fraction:
      return "a fraction, or a number beyond 64 bits";
    case JsonValue::Kind::text:
      return "a text";
    case JsonValue::Kind::list:
      return "a list";
    case JsonValue::Kind::object:
      return "an object";
  }
  ASSERT(false, "every kind of value has a name");
}

Result<JsonValue> parse_json(std::string_view text) {
  Builder builder(text);
  const Cursor begin(text.data(), &builder.taken);
  const Cursor end(text.data() + text.size(), &builder.taken);
  if (!json::sax_parse(begin, end, &builder))
    return fail(std::to_string(std::max<std::size_t>(builder.wrong_line, 1)) + ": " +
                builder.reason.value_or("is no JSON"));
  return std::move(builder.result);
}

}  // namespace holdfast::scenarios
