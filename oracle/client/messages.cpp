#include "oracle/client/messages.hpp"

#include <algorithm>
#include <charconv>

#include "oracle/client/json_reader.hpp"

namespace holdfast::oracle {
namespace {

/// The headers of one message, as far as the protocol names them, before they are understood.
struct RawHeaders {
  std::optional<std::string> control;
  std::optional<std::string> operation;
  std::optional<std::uint64_t> lsn;
  std::optional<std::uint64_t> op_position;
  std::optional<std::uint64_t> global_last_seen_lsn;
  std::optional<std::uint64_t> xmin;
  std::optional<std::uint64_t> xmax;
  std::optional<std::vector<std::uint64_t>> xip_list;
  bool txids = false;
  bool last = false;
};

/// Reads one body. One use.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : body_(body), json_(body) {}
  std::vector<Message> read();

 private:
  Message read_message();
  RawHeaders read_headers();
  void read_row(Cells& row);
  std::uint64_t read_decimal_text();
  std::vector<std::uint64_t> read_decimal_texts();
  void read_txids();

  std::string_view body_;
  JsonReader json_;
  std::string name_;  ///< of the member that is being read
  std::string text_;
};

template <class T>
T& once(std::optional<T>& field, const std::string& name) {
  if (field) throw Malformed("a message has `" + name + "` twice");
  return field.emplace();
}

template <class T>
T needed(const std::optional<T>& field, const char* name) {
  if (!field) throw Malformed(std::string("a message has no `") + name + "`");
  return *field;
}

MessageKind kind_of(const std::string& operation) {
  if (operation == "insert") return MessageKind::insert;
  if (operation == "update") return MessageKind::update;
  if (operation == "delete") return MessageKind::erase;
  throw Malformed("unknown operation " + operation);
}

void understand_control(const RawHeaders& headers, Message& message) {
  if (*headers.control == "up-to-date") {
    message.kind = MessageKind::up_to_date;
    message.up_to = needed(headers.global_last_seen_lsn, "global_last_seen_lsn");
  } else if (*headers.control == "must-refetch") {
    message.kind = MessageKind::must_refetch;
  } else if (*headers.control == "snapshot-end") {
    message.kind = MessageKind::snapshot_end;
    message.snapshot.xmin = needed(headers.xmin, "xmin");
    message.snapshot.xmax = needed(headers.xmax, "xmax");
    message.snapshot.xip = needed(headers.xip_list, "xip_list");
  } else {
    throw Malformed("unknown control message " + *headers.control);
  }
}

void understand_change(const RawHeaders& headers, Message& message) {
  message.kind = kind_of(needed(headers.operation, "operation"));
  if (!headers.lsn) return;
  message.lsn = headers.lsn;
  message.op = needed(headers.op_position, "op_position");
  message.last = headers.last;
  if (!headers.txids) throw Malformed("a log record has no `txids`");
}

// -- reading --------------------------------------------------------------------------------------

std::uint64_t BodyReader::read_decimal_text() {
  json_.read_text(text_);
  std::uint64_t number = 0;
  const char* const end = text_.data() + text_.size();
  const auto [used, error] = std::from_chars(text_.data(), end, number);
  if (error != std::errc{} || used != end) throw Malformed("not a decimal number: " + text_);
  return number;
}

std::vector<std::uint64_t> BodyReader::read_decimal_texts() {
  std::vector<std::uint64_t> numbers;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) numbers.push_back(read_decimal_text());
  return numbers;
}

void BodyReader::read_txids() {
  std::size_t count = 0;
  json_.open_array();
  for (bool first = true; json_.next_item(first); ++count) json_.read_unsigned();
  if (count != 1) throw Malformed("txids is not one number");
}

RawHeaders BodyReader::read_headers() {
  RawHeaders headers;
  json_.open_object();
  for (bool first = true; json_.next_member(name_, first);) {
    if (name_ == "operation") {
      json_.read_text(once(headers.operation, name_));
    } else if (name_ == "lsn") {
      once(headers.lsn, name_) = read_decimal_text();
    } else if (name_ == "op_position") {
      once(headers.op_position, name_) = json_.read_unsigned();
    } else if (name_ == "last") {
      if (headers.last || !json_.take_word("true")) throw Malformed("`last` is true or absent");
      headers.last = true;
    } else if (name_ == "txids") {
      if (headers.txids) throw Malformed("a message has `txids` twice");
      read_txids();
      headers.txids = true;
    } else if (name_ == "control") {
      json_.read_text(once(headers.control, name_));
    } else if (name_ == "global_last_seen_lsn") {
      once(headers.global_last_seen_lsn, name_) = read_decimal_text();
    } else if (name_ == "xmin") {
      once(headers.xmin, name_) = read_decimal_text();
    } else if (name_ == "xmax") {
      once(headers.xmax, name_) = read_decimal_text();
    } else if (name_ == "xip_list") {
      once(headers.xip_list, name_) = read_decimal_texts();
    } else {
      json_.skip();
    }
  }
  return headers;
}

void BodyReader::read_row(Cells& row) {
  constexpr std::size_t k_usual_columns = 8;
  row.reserve(k_usual_columns);
  json_.open_object();
  for (bool first = true; json_.next_member(name_, first);) {
    if (find_cell(row, name_) != nullptr)
      throw Malformed("a row has the column " + name_ + " twice");
    Cell& cell = row.emplace_back();
    cell.column = name_;
    if (!json_.take_word("null")) json_.read_text(cell.text.emplace());
  }
}

Message BodyReader::read_message() {
  Message message;
  std::optional<RawHeaders> headers;
  bool has_key = false;
  bool has_value = false;
  json_.peek();
  const std::size_t start = json_.position();
  json_.open_object();
  for (bool first = true; json_.next_member(name_, first);) {
    if (name_ == "key") {
      if (has_key) throw Malformed("a message has `key` twice");
      has_key = true;
      json_.read_text(message.key);
    } else if (name_ == "value") {
      if (has_value) throw Malformed("a message has `value` twice");
      has_value = true;
      read_row(message.value);
    } else if (name_ == "headers") {
      if (headers) throw Malformed("a message has `headers` twice");
      headers = read_headers();
    } else {
      json_.skip();
    }
  }
  message.content = hash128(body_.substr(start, json_.position() - start));
  if (!headers) throw Malformed("a message has no `headers`");
  if (headers->control) {
    understand_control(*headers, message);
    return message;
  }
  if (!has_key || !has_value) throw Malformed("a change without `key` or without `value`");
  understand_change(*headers, message);
  return message;
}

std::vector<Message> BodyReader::read() {
  std::vector<Message> messages;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) messages.push_back(read_message());
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
