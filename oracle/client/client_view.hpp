// What one client holds of one shape, applied strictly: insert only for an absent key, update and
// delete only for a present one, offsets that increase, transactions that are whole (engine.md
// §6.1). Tolerates nothing: what a lenient application would hide is a violation here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/offset.hpp"
#include "oracle/client/messages.hpp"
#include "oracle/client/tag_tracker.hpp"
#include "oracle/rows_digest.hpp"
#include "oracle/shape_spec.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

/// What moves did to a view since it began with nothing.
struct MoveTally {
  std::uint64_t in = 0, out = 0;
  std::uint64_t rows_in = 0, rows_out = 0;
};

class ClientView {
 public:
  explicit ClientView(const ShapeSpec& spec) : spec_(&spec) {
    if (spec.has_subqueries()) tags_.emplace();
  }

  /// Forgets everything: a 409, or a client that starts afresh.
  void reset() { *this = ClientView(*spec_); }
  /// Applies the messages of an answer that covers (from, to].
  void apply(const std::vector<Message>& messages, const protocol::LogOffset& from,
             const protocol::LogOffset& to, const Object& object);

  /// The columns that the table has now. REQUIRES: nothing was applied since reset(); `spec`
  /// outlives the view.
  void describe(const ShapeSpec& spec) { *this = ClientView(spec); }
  /// Of the table, as the snapshot saw it; nullopt until the snapshot is known.
  const std::optional<std::size_t>& form() const { return form_; }
  void set_form(std::size_t form) { form_ = form; }

  const ShapeSpec& spec() const { return *spec_; }
  /// Made for the caller; the digest says the same for nothing.
  Rows rows() const;
  const RowsDigest& digest() const { return digest_; }
  bool holds(const std::string& key) const { return rows_.contains(key); }
  std::size_t size() const { return rows_.size(); }
  /// The last one that the log has stated: each sees all that the one before it saw.
  const std::optional<StatedSnapshot>& snapshot() const { return snapshot_; }
  const MoveTally& moves() const { return moves_; }
  /// LSN of the last up-to-date marker.
  std::uint64_t marker() const { return marker_; }
  /// The highest LSN of all up-to-date markers.
  std::uint64_t claimed() const { return claimed_; }

 private:
  /// A cell as the application holds it, with its part of the digest.
  struct HeldCell {
    Cell cell;
    Hash128 hash;
  };
  using HeldRow = std::vector<HeldCell>;

  void apply_change(const Message& message, const Object& object);
  void apply_snapshot_end(const Message& message, const Object& object);
  void apply_move(const Message& message, const Object& object);
  /// Tags are there exactly where they belong (http-api.md §24).
  void check_tags(const Message& message, const Object& object) const;
  /// The rows of a move stand together, and snapshot-end follows them.
  void end_move(const Object& object);
  void take_cells(const Message& message, HeldRow& row);
  void drop_cells(HeldRow& row);
  void check_position(const Message& message, const protocol::LogOffset& from,
                      const protocol::LogOffset& to, const Object& object);
  void check_transaction(const protocol::LogOffset& at, const Object& object) const;
  std::optional<std::string> parsed(const Cell& cell) const;
  void check_columns(const Message& message, const Object& object) const;
  /// What an update or delete says of the row as it was (http-api.md §11.3).
  void check_old(const Message& message, const HeldRow& held, const Object& object) const;
  /// The two halves of a key change name each other and stand together (§11.4).
  void check_key_change(const Message& message, const Object& object);

  const ShapeSpec* spec_;
  std::map<std::string, HeldRow> rows_;
  RowsDigest digest_;  ///< of rows_
  std::optional<StatedSnapshot> snapshot_;
  std::optional<std::size_t> form_;
  std::optional<protocol::LogOffset> last_record_;
  /// The first half of a key change whose second half must come next.
  struct HalfKeyChange {
    std::string from;
    std::string to;
    protocol::LogOffset second;
  };
  std::optional<HalfKeyChange> key_change_;
  bool transaction_ended_ = true;  ///< the last record carried `last`
  std::uint64_t marker_ = 0;
  std::uint64_t claimed_ = 0;
  std::optional<TagTracker> tags_;  ///< of shapes with subqueries
  /// A move-in whose rows may follow, and how many have.
  struct MoveIn {
    std::vector<MovePattern> patterns;
    std::size_t rows = 0;
  };
  std::optional<MoveIn> move_in_;
  MoveTally moves_;
};

}  // namespace holdfast::oracle
