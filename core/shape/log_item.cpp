#include "core/shape/log_item.hpp"

#include <algorithm>
#include <charconv>

#include "core/protocol/json_text.hpp"
#include "core/shape/layout.hpp"

namespace holdfast::shape {
namespace {

using postgres::Change;
using postgres::ChangeKind;
using postgres::Tuple;
using Cell = std::optional<std::string_view>;

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  ASSERT(error == std::errc{}, "20 digits hold any 64-bit number");
  out.append(digits, end);
}

/// The key as the inside of a JSON string. `cell_of` gives the cell of a LayoutCell.
template <class CellOf>
void append_key(std::string& out, const Layout& layout, const CellOf& cell_of) {
  std::string scratch;
  out += layout.json_key_prefix;
  for (const std::uint32_t index : layout.key) {
    const LayoutCell& cell = layout.cells[index];
    const Cell text = cell_of(cell);
    if (!text) {
      out += "/_";
      continue;
    }
    out += "/\\\"";
    protocol::append_json_key_text(out, output_form(cell, *text, scratch));
    out += "\\\"";
  }
}

void append_value(std::string& out, const LayoutCell& cell, const Cell& text) {
  out += cell.json_name;
  if (!text) {
    out += "null";
    return;
  }
  out += '"';
  protocol::append_json_text(out, *text);
  out += '"';
}

enum class Columns : std::uint8_t { all, key_only };

/// {"id":"1",…} of one tuple.
void append_row(std::string& out, const Layout& layout, const Tuple& tuple, Columns columns) {
  out += '{';
  bool first = true;
  for (const LayoutCell& cell : layout.cells) {
    if (columns == Columns::key_only && !cell.in_key) continue;
    if (!first) out += ',';
    first = false;
    append_value(out, cell, tuple[cell.column]);
  }
  out += '}';
}

struct Differences {
  bool key = false;
  bool any = false;
};

/// Texts decide: both tuples come from the stream, where equal values have one text.
Differences differences(const Layout& layout, const Change& change) {
  Differences found;
  for (const LayoutCell& cell : layout.cells) {
    if (change.old_tuple[cell.column] == change.new_tuple[cell.column]) continue;
    found.any = true;
    found.key = found.key || cell.in_key;
  }
  return found;
}

/// Writes the items of one change. All of them begin with the key and end with the headers, so that
/// a `last` can be inserted before the final two braces.
class Encoder {
 public:
  Encoder(std::vector<LogItem>& out, const Definition& definition, const Change& change,
          postgres::Xid xid, postgres::Lsn commit_lsn)
      : out_(out),
        definition_(definition),
        layout_(definition.layout()),
        change_(change),
        xid_(xid),
        commit_lsn_(commit_lsn) {}

  /// `marks`: further headers of a shape with subqueries, each after a comma.
  void insert(std::uint64_t op, const Tuple* key_change_from, std::string_view marks = {}) {
    std::string json = begin(change_.new_tuple);
    append_row(json, layout_, change_.new_tuple, Columns::all);
    finish(std::move(json), "insert", op, "key_change_from", key_change_from, marks);
  }

  void erase(std::uint64_t op, const Tuple* key_change_to, std::string_view marks = {}) {
    std::string json = begin(change_.old_tuple);
    append_row(json, layout_, change_.old_tuple,
               definition_.replica() == Replica::full ? Columns::all : Columns::key_only);
    finish(std::move(json), "delete", op, "key_change_to", key_change_to, marks);
  }

  void update(std::uint64_t op, std::string_view marks = {}) {
    std::string json = begin(change_.new_tuple);
    if (definition_.replica() == Replica::full) {
      append_row(json, layout_, change_.new_tuple, Columns::all);
      json += ",\"old_value\":{";
      append_changed(json, change_.old_tuple, KeyColumns::if_changed);
    } else {
      json += '{';
      append_changed(json, change_.new_tuple, KeyColumns::always);
    }
    json += '}';
    finish(std::move(json), "update", op, "", nullptr, marks);
  }

 private:
  enum class KeyColumns : std::uint8_t { always, if_changed };

  /// Room for the item in one allocation, in the usual case of few escapes.
  std::string begin(const Tuple& tuple) {
    std::size_t size = 200 + layout_.json_key_prefix.size() + 2 * layout_.json_relation.size();
    for (const LayoutCell& cell : layout_.cells)
      size += cell.json_name.size() + 8 + (tuple[cell.column] ? tuple[cell.column]->size() : 0) +
              (cell.in_key && tuple[cell.column] ? tuple[cell.column]->size() : 0);
    std::string json;
    json.reserve(size);
    json += "{\"key\":\"";
    append_tuple_key(json, tuple);
    json += "\",\"value\":";
    return json;
  }

  void append_tuple_key(std::string& json, const Tuple& tuple) {
    append_key(json, layout_, [&](const LayoutCell& cell) { return tuple[cell.column]; });
  }

  void append_changed(std::string& json, const Tuple& tuple, KeyColumns key_columns) {
    bool first = true;
    for (const LayoutCell& cell : layout_.cells) {
      const bool changed = change_.old_tuple[cell.column] != change_.new_tuple[cell.column];
      if (!changed && !(cell.in_key && key_columns == KeyColumns::always)) continue;
      if (!first) json += ',';
      first = false;
      append_value(json, cell, tuple[cell.column]);
    }
  }

  void finish(std::string json, std::string_view operation, std::uint64_t op,
              std::string_view key_header, const Tuple* other_key, std::string_view marks) {
    json += ",\"headers\":{\"operation\":\"";
    json += operation;
    json += "\",\"relation\":";
    json += layout_.json_relation;
    json += ",\"txids\":[";
    append_number(json, xid_.value);
    json += "],\"lsn\":\"";
    append_number(json, commit_lsn_.value);
    json += "\",\"op_position\":";
    append_number(json, op);
    if (other_key != nullptr) {
      json += ",\"";
      json += key_header;
      json += "\":\"";
      append_tuple_key(json, *other_key);
      json += '"';
    }
    json += marks;
    json += "}}";
    out_.push_back({protocol::LogOffset::at(commit_lsn_.value, op), std::move(json)});
  }

  std::vector<LogItem>& out_;
  const Definition& definition_;
  const Layout& layout_;
  const Change& change_;
  postgres::Xid xid_;
  postgres::Lsn commit_lsn_;
};

/// A row of a query as an insert, up to where further headers may follow. Every value in its output
/// form but for booleans, the one value whose form clients are told apart by: words here, letters
/// in changes (§12.1).
template <class CellOf>
void append_plain_row(std::string& out, const Definition& definition, const CellOf& cell_of) {
  const Layout& layout = definition.layout();
  std::string scratch;
  out += "{\"key\":\"";
  append_key(out, layout, cell_of);
  out += "\",\"value\":{";
  bool first = true;
  for (const LayoutCell& cell : layout.cells) {
    if (!first) out += ',';
    first = false;
    Cell text = cell_of(cell);
    if (text) text = output_form(cell, *text, scratch);
    if (text && cell.form == TextForm::boolean) text = *text == "t" ? "true" : "false";
    append_value(out, cell, text);
  }
  out += "},\"headers\":{\"operation\":\"insert\",\"relation\":";
  out += layout.json_relation;
}

void append_tags(std::string& out, std::string_view name, const std::vector<std::string>& tags) {
  out += ",\"";
  out += name;
  out += "\":[";
  for (std::size_t i = 0; i < tags.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    out += tags[i];
    out += '"';
  }
  out += ']';
}

void append_conditions(std::string& out, const std::vector<bool>& active) {
  out += ",\"active_conditions\":[";
  for (std::size_t i = 0; i < active.size(); ++i) {
    if (i > 0) out += ',';
    out += active[i] ? "true" : "false";
  }
  out += ']';
}

const where::Plan& plan_of(const Definition& definition) {
  ASSERT(definition.condition() && definition.condition()->plan() != nullptr,
         "only rows of a shape with subqueries are marked");
  return *definition.condition()->plan();
}

/// What `before` has and `after` has not.
std::vector<std::string> removed(const std::vector<std::string>& before,
                                 const std::vector<std::string>& after) {
  std::vector<std::string> made;
  for (const std::string& tag : before)
    if (std::find(after.begin(), after.end(), tag) == after.end()) made.push_back(tag);
  return made;
}

}  // namespace

bool contains(const Definition& definition, const Tuple& tuple) {
  return !definition.condition() || definition.condition()->evaluate(tuple) == where::Truth::yes;
}

void append_snapshot_row(std::string& out, const Definition& definition,
                         const postgres::RowBatch& batch, std::size_t row) {
  ASSERT(batch.columns() == definition.layout().cells.size(), "a batch has the selected columns");
  append_plain_row(out, definition,
                   [&](const LayoutCell& cell) { return batch.cell(row, cell.position); });
  out += "}}";
}

void append_snapshot_end(std::string& out, const postgres::Snapshot& snapshot) {
  out += "{\"headers\":{\"control\":\"snapshot-end\",\"xmin\":\"";
  append_number(out, snapshot.xmin.value);
  out += "\",\"xmax\":\"";
  append_number(out, snapshot.xmax.value);
  out += "\",\"xip_list\":[";
  for (std::size_t i = 0; i < snapshot.xip.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    append_number(out, snapshot.xip[i].value);
    out += '"';
  }
  out += "]}}";
}

void append_encoded(std::vector<LogItem>& out, const Definition& definition, const Change& change,
                    bool old_in, bool new_in, postgres::Xid xid, postgres::Lsn commit_lsn) {
  Encoder encoder(out, definition, change, xid, commit_lsn);
  const std::size_t columns = definition.relation().columns.size();
  const bool has_old = change.kind == ChangeKind::update || change.kind == ChangeKind::erase;
  const bool has_new = change.kind == ChangeKind::update || change.kind == ChangeKind::insert;
  ASSERT(shape_ending(change).empty(), "what ends shapes is no item");
  ASSERT(!has_old || change.old_tuple.size() == columns, "an old tuple has the table's columns");
  ASSERT(!has_new || change.new_tuple.size() == columns, "a new tuple has the table's columns");
  const bool leaves = has_old && old_in;
  const bool enters = has_new && new_in;
  if (!leaves && !enters) return;
  if (!leaves) return encoder.insert(change.op, nullptr);
  if (!enters) return encoder.erase(change.op, nullptr);
  const Differences changed = differences(definition.layout(), change);
  if (!changed.any) return;
  if (!changed.key) return encoder.update(change.op);
  encoder.erase(change.op, &change.new_tuple);
  encoder.insert(change.op + 1, &change.old_tuple);
}

void append_change(std::vector<LogItem>& out, const Definition& definition, const Change& change,
                   postgres::Xid xid, postgres::Lsn commit_lsn) {
  const bool has_old = change.kind == ChangeKind::update || change.kind == ChangeKind::erase;
  const bool has_new = change.kind == ChangeKind::update || change.kind == ChangeKind::insert;
  append_encoded(out, definition, change, has_old && contains(definition, change.old_tuple),
                 has_new && contains(definition, change.new_tuple), xid, commit_lsn);
}

void append_marked_change(std::vector<LogItem>& out, const Definition& definition,
                          const Change& change, const RowMarks* old_marks,
                          const RowMarks* new_marks, postgres::Xid xid, postgres::Lsn commit_lsn) {
  if (old_marks == nullptr && new_marks == nullptr) return;
  const where::Plan& plan = plan_of(definition);
  Encoder encoder(out, definition, change, xid, commit_lsn);
  const auto old_tags = old_marks ? tags(plan, old_marks->hashes) : std::vector<std::string>();
  const auto new_tags = new_marks ? tags(plan, new_marks->hashes) : std::vector<std::string>();
  std::string headers;
  if (new_marks == nullptr) {
    append_tags(headers, "tags", old_tags);
    return encoder.erase(change.op, nullptr, headers);
  }
  append_tags(headers, "tags", new_tags);
  append_conditions(headers, new_marks->active);
  if (old_marks == nullptr) return encoder.insert(change.op, nullptr, headers);
  const Differences changed = differences(definition.layout(), change);
  if (!changed.any && *old_marks == *new_marks) return;
  const std::vector<std::string> gone = removed(old_tags, new_tags);
  if (!changed.key) {
    append_tags(headers, "removed_tags", gone);
    return encoder.update(change.op, headers);
  }
  // The delete half has both rows' tags.
  std::vector<std::string> both = new_tags;
  both.insert(both.end(), gone.begin(), gone.end());
  std::string both_header;
  append_tags(both_header, "tags", both);
  encoder.erase(change.op, &change.new_tuple, both_header);
  encoder.insert(change.op + 1, &change.old_tuple, headers);
}

void append_marked_row(std::string& out, const Definition& definition, const Tuple& tuple,
                       const RowMarks& marks, RowOrigin origin) {
  append_plain_row(out, definition, [&](const LayoutCell& cell) { return tuple[cell.column]; });
  append_tags(out, "tags", tags(plan_of(definition), marks.hashes));
  append_conditions(out, marks.active);
  if (origin == RowOrigin::move_in) out += ",\"is_move_in\":true";
  out += "}}";
}

Hash128 encoding_key(const Definition& definition) {
  RollingHash hash;
  const Layout& layout = definition.layout();
  hash.add(definition.relation().oid.value);
  hash.add(definition.relation().columns.size());
  hash.add(layout.json_relation);
  hash.add(static_cast<std::uint64_t>(definition.replica()));
  hash.add(layout.cells.size());
  for (const LayoutCell& cell : layout.cells) {
    hash.add(cell.column);
    hash.add(cell.json_name);
    hash.add(static_cast<std::uint64_t>(cell.form));
    hash.add(cell.padded_characters);
  }
  hash.add(layout.key.size());
  for (const std::uint32_t index : layout.key) hash.add(index);
  return hash.value();
}

}  // namespace holdfast::shape
