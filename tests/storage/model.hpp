// What a store holds, as naively as can be said: lists of items, the chunk rule as a loop over all
// of them, reading as http-api.md §13.4 words it. Shares no code with core/storage.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/storage/store.hpp"

namespace holdfast::storage {

class Model {
 public:
  struct Record {
    protocol::LogOffset offset;
    std::string served;  ///< with the last header where it belongs
  };
  struct Shape {
    std::string handle;
    bool complete = false;
    std::vector<std::string> chunks;
    std::vector<Record> records;
    std::vector<std::string> inners;  ///< definitions
    std::map<std::pair<std::uint32_t, std::string>, std::string> state;
  };

  explicit Model(std::uint64_t chunk_bytes) : chunk_bytes_(chunk_bytes) {}

  /// Shapes are told apart by their definition's text; `make` may come before the handle is known.
  void make(const std::string& definition, std::vector<std::string> inners = {}) {
    live_.try_emplace(definition).first->second.inners = std::move(inners);
  }
  void learn_handle(const std::string& definition, const std::string& handle) {
    live_.at(definition).handle = handle;
  }
  void remove(const std::string& definition, const std::string& reason) {
    const auto found = live_.find(definition);
    if (found == live_.end()) return;
    removed_[found->second.handle] = reason;
    live_.erase(found);
  }
  void apply(const Group& group) {
    for (const SnapshotCompletion& completion : group.completions) {
      Shape* shape = by_handle(completion.handle.text);
      if (shape == nullptr) continue;
      shape->complete = true;
      std::size_t begin = 0;
      for (const std::uint64_t end : completion.content.chunk_ends) {
        shape->chunks.push_back(completion.content.bytes.substr(begin, end - begin));
        begin = end;
      }
    }
    for (const ShapeAppend& append : group.appends) {
      Shape* shape = by_handle(append.handle.text);
      if (shape == nullptr) continue;
      for (const RecordRef& record : append.records) {
        std::string served = *group.items[record.item];
        if (record.last) served = served.substr(0, served.size() - 2) + ",\"last\":true}}";
        shape->records.push_back({record.offset, served});
      }
    }
    for (const StateChange& change : group.state) {
      Shape* shape = by_handle(change.handle.text);
      if (shape == nullptr) continue;
      if (!change.key)
        std::erase_if(shape->state, [&](const auto& e) { return e.first.first == change.space; });
      else if (change.value)
        shape->state[{change.space, *change.key}] = *change.value;
      else
        shape->state.erase({change.space, *change.key});
    }
    if (group.applied.value > applied_) applied_ = group.applied.value;
  }
  /// What a restart leaves: nothing of a transaction that is not applied.
  void restart() {
    for (auto& [definition, shape] : live_)
      std::erase_if(shape.records, [&](const Record& r) { return r.offset.tx > applied_; });
  }

  protocol::LogOffset head(const std::string& definition) const {
    const Shape& shape = live_.at(definition);
    if (!shape.complete) return protocol::LogOffset::before_all();
    protocol::LogOffset head = protocol::LogOffset::snapshot_end();
    for (const Record& record : shape.records)
      if (record.offset.tx <= applied_) head = record.offset;
    return head;
  }
  Slice read(const std::string& definition, protocol::LogOffset after) const {
    const Shape& shape = live_.at(definition);
    const protocol::LogOffset last_offset = head(definition);
    if (!after.started) return {protocol::LogOffset::at(0, 0), shape.chunks.at(0)};
    if (after.tx == 0 && after.op != protocol::LogOffset::k_infinite) {
      if (after.op + 1 < shape.chunks.size())
        return {protocol::LogOffset::at(0, after.op + 1), shape.chunks[after.op + 1]};
      after = protocol::LogOffset::snapshot_end();
    }
    Slice slice{last_offset, {}};
    std::uint64_t in_chunk = 0;
    for (const Record& record : shape.records) {
      if (record.offset > last_offset) break;
      in_chunk += record.served.size();
      const bool closes = in_chunk >= chunk_bytes_;
      if (closes) in_chunk = 0;
      if (record.offset <= after) continue;
      if (!slice.items.empty()) slice.items += ",";
      slice.items += record.served;
      if (!closes) continue;
      slice.end = record.offset;
      break;
    }
    return slice;
  }

  const std::map<std::string, Shape>& live() const { return live_; }
  const std::map<std::string, std::string>& removed() const { return removed_; }
  std::uint64_t applied() const { return applied_; }

 private:
  Shape* by_handle(const std::string& handle) {
    for (auto& [definition, shape] : live_)
      if (shape.handle == handle) return &shape;
    return nullptr;
  }

  std::uint64_t chunk_bytes_;
  std::uint64_t applied_ = 0;
  std::map<std::string, Shape> live_;           ///< by definition
  std::map<std::string, std::string> removed_;  ///< handle -> reason
};

/// Positions worth asking for: before everything, each chunk, each record and beside it.
inline std::vector<protocol::LogOffset> positions(const Model::Shape& shape,
                                                  const protocol::LogOffset& head) {
  using protocol::LogOffset;
  std::vector<LogOffset> result{LogOffset::before_all(), LogOffset::snapshot_end()};
  for (std::size_t chunk = 0; chunk < shape.chunks.size(); ++chunk)
    result.push_back(LogOffset::at(0, chunk));
  for (const Model::Record& record : shape.records) {
    if (record.offset > head) break;
    result.push_back(record.offset);
    result.push_back(LogOffset::at(record.offset.tx - 1, LogOffset::k_infinite));
  }
  return result;
}

inline std::string show(const protocol::LogOffset& offset) {
  return offset.started ? std::to_string(offset.tx) + "_" + std::to_string(offset.op) : "-1";
}

/// Everything a client could see of the model, as text.
inline std::string show(const Model& model) {
  std::string text = "applied " + std::to_string(model.applied()) + "\n";
  for (const auto& [definition, shape] : model.live()) {
    const auto head = model.head(definition);
    text += definition + " head " + show(head);
    for (const std::string& inner : shape.inners) text += " " + model.live().at(inner).handle;
    for (const auto& [key, value] : shape.state)
      text += " " + std::to_string(key.first) + key.second + "=" + value;
    text += "\n";
    if (!shape.complete) continue;
    for (const auto& after : positions(shape, head)) {
      const Slice slice = model.read(definition, after);
      text += "  " + show(after) + " -> " + show(slice.end) + " " + slice.items + "\n";
    }
  }
  for (const auto& [handle, reason] : model.removed()) text += handle + " " + reason + "\n";
  return text;
}

/// The same of a store: what it boots with and what its reader answers. `model` only says where to
/// look. A failed call becomes part of the text.
inline std::string show(const Boot& boot, Reader& reader, const Model& model) {
  std::string text = "applied " + std::to_string(boot.applied.value) + "\n";
  std::map<std::string, const ShapeRecord*> by_definition;
  for (const ShapeRecord& record : boot.shapes) by_definition[record.definition] = &record;
  for (const auto& [definition, record] : by_definition) {
    text += definition + " head " + show(record->head);
    for (const protocol::ShapeHandle& inner : record->inners) text += " " + inner.text;
    const auto state = reader.load_state(record->handle);
    if (!state) text += state.error().message;
    std::map<std::string, std::string> waiting;
    const auto read = reader.load_waiting(record->handle, {}, std::size_t{1} << 40);
    if (!read) text += read.error().message;
    for (const StateEntry& entry : read ? *read : std::vector<StateEntry>{})
      waiting[entry.key] = entry.value;
    for (const StateEntry& entry : state ? *state : std::vector<StateEntry>{})
      text += " " + std::to_string(entry.space) + entry.key + "=" +
              (entry.space == k_waiting_space ? waiting[entry.key] : entry.value);
    text += "\n";
    const auto shape = model.live().find(definition);
    if (!record->snapshot_complete || shape == model.live().end()) continue;
    for (const auto& after : positions(shape->second, record->head)) {
      const auto slice = reader.read({record->handle, after, record->head});
      text +=
          "  " + show(after) + " -> " +
          (slice ? show(slice.value().end) + " " + slice.value().items : slice.error().message) +
          "\n";
    }
  }
  for (const auto& [handle, reason] : model.removed()) {
    const auto found = reader.find({handle});
    text += handle + " " +
            (found ? found.value().removed_reason.value_or("not removed") : found.error().message) +
            "\n";
  }
  return text;
}

}  // namespace holdfast::storage
