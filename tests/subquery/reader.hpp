// A reader that follows http-api.md §24 to the letter: inserts for absent rows only, updates and
// deletes for present ones, moves by tags, offsets that grow, nothing within a transaction that is
// of none. For the property test of outer shapes.
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/shape/log_item.hpp"

namespace holdfast::subquery::test {

struct SeenRow {
  std::map<std::string, nlohmann::json> cells;
  std::vector<std::string> tags;
  std::vector<bool> active;
};

class Reader {
 public:
  std::map<std::string, SeenRow> rows;  ///< by the id's text
  std::string trouble;                  ///< the first thing that a reader must object to

  void start(const std::vector<std::string>& snapshot) {
    rows.clear();
    for (const std::string& row : snapshot) insert(nlohmann::json::parse(row));
  }

  void apply(const shape::LogItem& item) {
    if (last_ >= item.offset) object("an offset does not grow: " + item.offset.to_string());
    last_ = item.offset;
    // Its last record was told by then (http-api.md §6.4).
    if (item.injected) injected_after_ = item.offset.tx;
    if (!item.injected && injected_after_ == item.offset.tx)
      object("a transaction goes on after what was injected behind it: " + item.offset.to_string());
    const auto message = nlohmann::json::parse(item.json);
    const auto& headers = message["headers"];
    if (headers.contains("control")) return;
    if (headers.contains("event")) return move(headers);
    const std::string operation = headers["operation"];
    if (operation == "insert") return insert(message);
    const auto row = rows.find(id_of(message));
    if (row == rows.end()) return object(operation + " of an absent row: " + item.json);
    if (operation == "delete") {
      rows.erase(row);
      return;
    }
    for (const auto& [name, cell] : message["value"].items()) row->second.cells[name] = cell;
    for (const std::string& tag : headers.value("removed_tags", std::vector<std::string>{}))
      if (std::find(row->second.tags.begin(), row->second.tags.end(), tag) ==
          row->second.tags.end())
        object("a tag is removed that the row has not: " + item.json);
    mark(row->second, headers);
  }

 private:
  void object(std::string what) {
    if (trouble.empty()) trouble = std::move(what);
  }
  static std::string id_of(const nlohmann::json& message) {
    const std::string key = message["key"];
    return key.substr(key.rfind('/') + 2, key.size() - key.rfind('/') - 3);
  }
  static void mark(SeenRow& row, const nlohmann::json& headers) {
    row.tags = headers["tags"].get<std::vector<std::string>>();
    row.active = headers["active_conditions"].get<std::vector<bool>>();
  }

  void insert(const nlohmann::json& message) {
    SeenRow row;
    for (const auto& [name, cell] : message["value"].items()) row.cells[name] = cell;
    mark(row, message["headers"]);
    if (!rows.emplace(id_of(message), std::move(row)).second)
      object("insert of a present row: " + message.dump());
  }

  static std::vector<std::string> slots(const std::string& tag) {
    std::vector<std::string> made(1);
    for (const char c : tag) {
      if (c == '/')
        made.emplace_back();
      else
        made.back() += c;
    }
    return made;
  }

  void move(const nlohmann::json& headers) {
    const bool in = headers["event"] == "move-in";
    for (auto row = rows.begin(); row != rows.end();) {
      SeenRow& seen = row->second;
      for (const auto& pattern : headers["patterns"])
        for (const std::string& tag : seen.tags)
          if (slots(tag).at(pattern["pos"]) == pattern["value"])
            seen.active.at(pattern["pos"]) = in;
      const bool stays = std::any_of(seen.tags.begin(), seen.tags.end(), [&](const auto& tag) {
        const auto parts = slots(tag);
        for (std::size_t p = 0; p < parts.size(); ++p)
          if (!parts[p].empty() && !seen.active.at(p)) return false;
        return true;
      });
      row = stays ? std::next(row) : rows.erase(row);
    }
  }

  protocol::LogOffset last_ = protocol::LogOffset::snapshot_end();
  std::uint64_t injected_after_ = 0;  ///< the latest transaction behind which something is
};

}  // namespace holdfast::subquery::test
