#include "oracle/client/messages.hpp"

#include <algorithm>
#include <charconv>

#include "oracle/client/json_reader.hpp"

namespace holdfast::oracle {
namespace {

enum class Control { up_to_date, snapshot_end, must_refetch };

/// The headers of one message, as far as the protocol names them, before they are understood.
struct RawHeaders {
  std::optional<Control> control;
  std::optional<MessageKind> operation;
  std::optional<std::uint64_t> lsn;
  std::optional<std::uint64_t> op_position;
  std::optional<std::uint64_t> global_last_seen_lsn;
  std::optional<std::uint64_t> xmin;
  std::optional<std::uint64_t> xmax;
  std::optional<std::vector<std::uint64_t>> xip_list;
  std::optional<std::uint64_t> txid;
  std::optional<std::string> key_change_to;
  std::optional<std::string> key_change_from;
  bool last = false;
};

/// Reads one body. One use.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : body_(body), json_(body) {}
  std::vector<Message> read();

 private:
  void read_message(Message& message);
  void read_headers(RawHeaders& headers);
  void read_row(Cells& row);
  std::uint64_t read_decimal_text();
  std::vector<std::uint64_t> read_decimal_texts();
  std::uint64_t read_txids();

  std::string_view body_;
  JsonReader json_;
};

template <class T>
void set_once(std::optional<T>& field, T value) {
  if (field) throw Malformed("a message says something twice");
  field = std::move(value);
}

template <class T>
const T& needed(const std::optional<T>& field, const char* name) {
  if (!field) throw Malformed(std::string("a message has no `") + name + "`");
  return *field;
}

MessageKind kind_of(std::string_view operation) {
  if (operation == "insert") return MessageKind::insert;
  if (operation == "update") return MessageKind::update;
  if (operation == "delete") return MessageKind::erase;
  throw Malformed("unknown operation " + std::string(operation));
}

Control control_of(std::string_view control) {
  if (control == "up-to-date") return Control::up_to_date;
  if (control == "snapshot-end") return Control::snapshot_end;
  if (control == "must-refetch") return Control::must_refetch;
  throw Malformed("unknown control message " + std::string(control));
}

void understand_control(const RawHeaders& headers, Message& message) {
  switch (*headers.control) {
    case Control::up_to_date:
      message.kind = MessageKind::up_to_date;
      message.up_to = needed(headers.global_last_seen_lsn, "global_last_seen_lsn");
      break;
    case Control::snapshot_end:
      message.kind = MessageKind::snapshot_end;
      message.snapshot.xmin = needed(headers.xmin, "xmin");
      message.snapshot.xmax = needed(headers.xmax, "xmax");
      message.snapshot.xip = needed(headers.xip_list, "xip_list");
      break;
    case Control::must_refetch:
      message.kind = MessageKind::must_refetch;
      break;
  }
}

void understand_change(const RawHeaders& headers, Message& message) {
  message.kind = needed(headers.operation, "operation");
  if (!headers.lsn) return;
  message.lsn = headers.lsn;
  message.op = needed(headers.op_position, "op_position");
  message.last = headers.last;
  message.txid = needed(headers.txid, "txids");
  message.key_change_to = headers.key_change_to.value_or("");
  message.key_change_from = headers.key_change_from.value_or("");
}

// -- reading --------------------------------------------------------------------------------------

std::uint64_t BodyReader::read_decimal_text() {
  const std::string_view text = json_.read_text();
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [used, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || used != end)
    throw Malformed("not a decimal number: " + std::string(text));
  return number;
}

std::vector<std::uint64_t> BodyReader::read_decimal_texts() {
  std::vector<std::uint64_t> numbers;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) numbers.push_back(read_decimal_text());
  return numbers;
}

std::uint64_t BodyReader::read_txids() {
  std::size_t count = 0;
  std::uint64_t txid = 0;
  json_.open_array();
  for (bool first = true; json_.next_item(first); ++count) txid = json_.read_unsigned();
  if (count != 1) throw Malformed("txids is not one number");
  return txid;
}

void BodyReader::read_headers(RawHeaders& headers) {
  std::string_view name;
  json_.open_object();
  for (bool first = true; json_.next_member(name, first);) {
    if (name == "operation") {
      set_once(headers.operation, kind_of(json_.read_text()));
    } else if (name == "lsn") {
      set_once(headers.lsn, read_decimal_text());
    } else if (name == "op_position") {
      set_once(headers.op_position, json_.read_unsigned());
    } else if (name == "last") {
      if (headers.last || !json_.take_word("true")) throw Malformed("`last` is true or absent");
      headers.last = true;
    } else if (name == "txids") {
      set_once(headers.txid, read_txids());
    } else if (name == "key_change_to") {
      set_once(headers.key_change_to, std::string(json_.read_text()));
    } else if (name == "key_change_from") {
      set_once(headers.key_change_from, std::string(json_.read_text()));
    } else if (name == "control") {
      set_once(headers.control, control_of(json_.read_text()));
    } else if (name == "global_last_seen_lsn") {
      set_once(headers.global_last_seen_lsn, read_decimal_text());
    } else if (name == "xmin") {
      set_once(headers.xmin, read_decimal_text());
    } else if (name == "xmax") {
      set_once(headers.xmax, read_decimal_text());
    } else if (name == "xip_list") {
      set_once(headers.xip_list, read_decimal_texts());
    } else {
      json_.skip();
    }
  }
}

void BodyReader::read_row(Cells& row) {
  constexpr std::size_t k_usual_columns = 6;
  std::string_view name;
  row.reserve(k_usual_columns);
  json_.open_object();
  for (bool first = true; json_.next_member(name, first);) {
    if (find_cell(row, name) != nullptr)
      throw Malformed("a row has the column " + std::string(name) + " twice");
    Cell& cell = row.emplace_back();
    cell.column = name;
    if (!json_.take_word("null")) cell.text.emplace(json_.read_text());
  }
}

void BodyReader::read_message(Message& message) {
  RawHeaders headers;
  bool has_headers = false;
  bool has_key = false;
  bool has_value = false;
  const auto only_once = [](bool& has) {
    if (has) throw Malformed("a message has a member twice");
    has = true;
  };
  json_.peek();
  const std::size_t start = json_.position();
  std::string_view name;
  json_.open_object();
  for (bool first = true; json_.next_member(name, first);) {
    if (name == "key") {
      only_once(has_key);
      message.key = json_.read_text();
    } else if (name == "value") {
      only_once(has_value);
      read_row(message.value);
    } else if (name == "old_value") {
      if (message.old_value) throw Malformed("a message has a member twice");
      read_row(message.old_value.emplace());
    } else if (name == "headers") {
      only_once(has_headers);
      read_headers(headers);
    } else {
      json_.skip();
    }
  }
  if (!has_headers) throw Malformed("a message has no `headers`");
  if (headers.control) return understand_control(headers, message);
  if (!has_key || !has_value) throw Malformed("a change without `key` or without `value`");
  understand_change(headers, message);
  if (message.lsn) message.content = hash128(body_.substr(start, json_.position() - start));
}

std::vector<Message> BodyReader::read() {
  std::vector<Message> messages;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) read_message(messages.emplace_back());
  json_.expect_end();
  return messages;
}

}  // namespace

Result<std::vector<Message>> parse_messages(std::string_view body) {
  try {
    return BodyReader(body).read();
  } catch (const Malformed& error) {
    return fail(error.what());
  }
}

}  // namespace holdfast::oracle
