#include "oracle/client/messages.hpp"

#include <algorithm>
#include <charconv>

#include "oracle/client/json_reader.hpp"

namespace holdfast::oracle {
namespace {

enum class Control { up_to_date, snapshot_end, must_refetch };

/// Records have one; moves have any number.
struct TransactionIds {
  std::uint64_t first = 0;
  std::size_t count = 0;
};

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
  std::optional<TransactionIds> txids;
  std::optional<MessageKind> event;
  std::optional<std::vector<MovePattern>> patterns;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::vector<std::string>> removed_tags;
  std::optional<std::vector<bool>> active_conditions;
  bool is_move_in = false;
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
  TransactionIds read_txids();
  std::vector<std::string> read_texts();
  std::vector<bool> read_conditions();
  std::vector<MovePattern> read_patterns();
  /// true; a header that is absent otherwise.
  void read_flag(bool& flag);
  bool read_tag_header(std::string_view name, RawHeaders& headers);

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

MessageKind event_of(std::string_view event) {
  if (event == "move-in") return MessageKind::move_in;
  if (event == "move-out") return MessageKind::move_out;
  throw Malformed("unknown event " + std::string(event));
}

void understand_event(RawHeaders& headers, Message& message) {
  if (headers.operation || headers.control || headers.lsn || headers.tags)
    throw Malformed("an event that is something else as well");
  message.kind = *headers.event;
  needed(headers.txids, "txids");
  if (needed(headers.patterns, "patterns").empty()) throw Malformed("an event without patterns");
  message.patterns = std::move(*headers.patterns);
}

/// `tags` makes the others mean something.
void understand_tags(RawHeaders& headers, Message& message) {
  if (!headers.tags) {
    if (headers.removed_tags || headers.active_conditions || headers.is_move_in)
      throw Malformed("a row without `tags` has what belongs to them");
    return;
  }
  message.tags.emplace();
  message.tags->tags = std::move(*headers.tags);
  message.tags->removed = std::move(headers.removed_tags);
  message.tags->conditions = std::move(headers.active_conditions);
  message.tags->is_move_in = headers.is_move_in;
}

void understand_change(RawHeaders& headers, Message& message) {
  message.kind = needed(headers.operation, "operation");
  understand_tags(headers, message);
  if (!headers.lsn) return;
  message.lsn = headers.lsn;
  message.op = needed(headers.op_position, "op_position");
  message.last = headers.last;
  if (needed(headers.txids, "txids").count != 1) throw Malformed("txids is not one number");
  message.txid = headers.txids->first;
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

TransactionIds BodyReader::read_txids() {
  TransactionIds txids;
  json_.open_array();
  for (bool first = true; json_.next_item(first); ++txids.count) {
    const std::uint64_t txid = json_.read_unsigned();
    if (txids.count == 0) txids.first = txid;
  }
  return txids;
}

std::vector<std::string> BodyReader::read_texts() {
  std::vector<std::string> texts;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) texts.emplace_back(json_.read_text());
  return texts;
}

std::vector<bool> BodyReader::read_conditions() {
  std::vector<bool> conditions;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) {
    conditions.push_back(json_.take_word("true"));
    if (!conditions.back() && !json_.take_word("false"))
      throw Malformed("a condition is true or false");
  }
  return conditions;
}

std::vector<MovePattern> BodyReader::read_patterns() {
  std::vector<MovePattern> patterns;
  std::string_view name;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) {
    std::optional<std::uint64_t> position;
    std::optional<std::string> value;
    json_.open_object();
    for (bool first_member = true; json_.next_member(name, first_member);) {
      if (name == "pos")
        set_once(position, json_.read_unsigned());
      else if (name == "value")
        set_once(value, std::string(json_.read_text()));
      else
        json_.skip();
    }
    patterns.push_back({needed(position, "pos"), needed(value, "value")});
  }
  return patterns;
}

void BodyReader::read_flag(bool& flag) {
  if (flag || !json_.take_word("true")) throw Malformed("a flag is true or absent");
  flag = true;
}

bool BodyReader::read_tag_header(std::string_view name, RawHeaders& headers) {
  if (name == "tags")
    set_once(headers.tags, read_texts());
  else if (name == "removed_tags")
    set_once(headers.removed_tags, read_texts());
  else if (name == "active_conditions")
    set_once(headers.active_conditions, read_conditions());
  else if (name == "is_move_in")
    read_flag(headers.is_move_in);
  else if (name == "event")
    set_once(headers.event, event_of(json_.read_text()));
  else if (name == "patterns")
    set_once(headers.patterns, read_patterns());
  else
    return false;
  return true;
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
      read_flag(headers.last);
    } else if (name == "txids") {
      set_once(headers.txids, read_txids());
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
    } else if (!read_tag_header(name, headers)) {
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
  if (headers.event) return understand_event(headers, message);
  if (headers.control) return understand_control(headers, message);
  if (!has_key || !has_value) throw Malformed("a change without `key` or without `value`");
  understand_change(headers, message);
  if (message.lsn) message.content = hash128(body_.substr(start, json_.position() - start));
}

std::vector<Message> BodyReader::read() {
  std::vector<Message> messages;
  json_.open_array();
  for (bool first = true; json_.next_item(first);) {
    const std::size_t start = json_.position();
    Message& message = messages.emplace_back();
    read_message(message);
    message.bytes = json_.position() - start;
  }
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
