// A response body as messages (http-api.md §11), read by a JSON reader of the oracle's own, which
// shares nothing with what the engine writes with. A body that is not what the protocol says gives
// an error, never a guess; members that the protocol does not name are read over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "oracle/shape_spec.hpp"
#include "oracle/truth.hpp"

namespace holdfast::oracle {

enum class MessageKind {
  insert,
  update,
  erase,
  snapshot_end,
  up_to_date,
  must_refetch,
  move_in,
  move_out
};

/// What a row of a shape with subqueries says of why it is in the shape (http-api.md §24).
struct RowTags {
  std::vector<std::string> tags;  ///< one a disjunct: a slot for each position, joined by '/'
  std::optional<std::vector<std::string>> removed;  ///< updates: the old row's that are gone
  std::optional<std::vector<bool>> conditions;      ///< by position; deletes may have none
  bool is_move_in = false;
};

/// Rows with this value in this slot of a tag are meant.
struct MovePattern {
  std::size_t position = 0;
  std::string value;
  auto operator<=>(const MovePattern&) const = default;
};

struct Message {
  MessageKind kind = MessageKind::insert;
  std::string key;
  Cells value;                       ///< no column twice
  std::optional<Cells> old_value;    ///< likewise
  std::string key_change_to;         ///< empty: not the first half of a key change
  std::string key_change_from;       ///< empty: not the second half
  std::uint64_t txid = 0;            ///< of log records
  std::optional<std::uint64_t> lsn;  ///< of log records; snapshot rows have none
  std::uint64_t op = 0;
  bool last = false;
  StatedSnapshot snapshot;            ///< snapshot_end
  std::optional<RowTags> tags;        ///< rows of shapes with subqueries
  std::vector<MovePattern> patterns;  ///< moves
  std::uint64_t up_to = 0;            ///< up_to_date
  std::uint64_t bytes = 0;            ///< as it was sent
  Hash128 content;  ///< of a log record's bytes, which it keeps once it was served
};

Result<std::vector<Message>> parse_messages(std::string_view body);

}  // namespace holdfast::oracle
