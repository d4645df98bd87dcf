#include "oracle/client/messages.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace holdfast::oracle {
namespace {

using nlohmann::json;

/// Decimal text of a 64-bit number.
std::uint64_t number_of(const json& text) {
  const auto& digits = text.get_ref<const std::string&>();
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [used, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || used != end)
    throw std::invalid_argument("not a decimal number: " + digits);
  return number;
}

Row row_of(const json& value) {
  if (!value.is_object()) throw std::invalid_argument("a row is no object: " + value.dump());
  Row row;
  for (const auto& [column, cell] : value.items())
    row.emplace(column, cell.is_null() ? std::nullopt : std::optional(cell.get<std::string>()));
  return row;
}

void read_control(const json& headers, Message& message) {
  const std::string control = headers.at("control");
  if (control == "up-to-date") {
    message.kind = MessageKind::up_to_date;
    message.up_to = number_of(headers.at("global_last_seen_lsn"));
  } else if (control == "must-refetch") {
    message.kind = MessageKind::must_refetch;
  } else if (control == "snapshot-end") {
    message.kind = MessageKind::snapshot_end;
    message.snapshot.xmin = number_of(headers.at("xmin"));
    message.snapshot.xmax = number_of(headers.at("xmax"));
    for (const json& xid : headers.at("xip_list")) message.snapshot.xip.push_back(number_of(xid));
  } else {
    throw std::invalid_argument("unknown control message " + control);
  }
}

MessageKind kind_of(const std::string& operation) {
  if (operation == "insert") return MessageKind::insert;
  if (operation == "update") return MessageKind::update;
  if (operation == "delete") return MessageKind::erase;
  throw std::invalid_argument("unknown operation " + operation);
}

Message message_of(const json& item) {
  Message message;
  const json& headers = item.at("headers");
  if (headers.contains("control")) {
    read_control(headers, message);
    return message;
  }
  message.kind = kind_of(headers.at("operation"));
  message.key = item.at("key").get<std::string>();
  message.value = row_of(item.at("value"));
  if (headers.contains("lsn")) {
    message.lsn = number_of(headers.at("lsn"));
    // The library would convert a negative number, a fraction or a boolean without a word.
    const json& op = headers.at("op_position");
    if (!op.is_number_unsigned()) throw std::invalid_argument("no op_position: " + op.dump());
    message.op = op.get<std::uint64_t>();
    message.last = headers.contains("last");
    if (message.last && headers.at("last") != true)
      throw std::invalid_argument("`last` is true or absent");
    if (headers.at("txids").size() != 1) throw std::invalid_argument("txids is not one number");
  }
  return message;
}

/// The text of the next item of a JSON array, and what follows it. The bytes matter: a record once
/// served keeps them.
std::string_view next_item(std::string_view& rest) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const char c = rest[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth-- > 1) continue;
      const std::string_view item = rest.substr(0, i + 1);
      rest.remove_prefix(i + 1);
      return item;
    }
  }
  throw std::invalid_argument("the body ends inside an item");
}

}  // namespace

Result<std::vector<Message>> parse_messages(std::string_view body) {
  try {
    if (body.size() < 2 || body.front() != '[' || body.back() != ']')
      return fail("the body is no JSON array");
    std::string_view rest = body.substr(1, body.size() - 2);
    std::vector<Message> messages;
    while (!rest.empty()) {
      if (!messages.empty()) {
        if (rest.front() != ',') return fail("two items are not separated by a comma");
        rest.remove_prefix(1);
      }
      const std::string_view item = next_item(rest);
      messages.push_back(message_of(json::parse(item)));
      messages.back().content = hash128(item);
    }
    return messages;
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

}  // namespace holdfast::oracle
