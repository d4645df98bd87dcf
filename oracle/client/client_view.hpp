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
#include "oracle/rows_digest.hpp"
#include "oracle/shape_spec.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

/// Reports (property, sentence).
using Object = std::function<void(const char* property, std::string what)>;

class ClientView {
 public:
  explicit ClientView(const ShapeSpec& spec) : spec_(&spec) {}

  /// Forgets everything: a 409, or a client that starts afresh.
  void reset() { *this = ClientView(*spec_); }
  /// Applies the messages of an answer that covers (from, to].
  void apply(const std::vector<Message>& messages, const protocol::LogOffset& from,
             const protocol::LogOffset& to, const Object& object);

  const ShapeSpec& spec() const { return *spec_; }
  /// Made for the caller; the digest says the same for nothing.
  Rows rows() const;
  const RowsDigest& digest() const { return digest_; }
  const std::optional<StatedSnapshot>& snapshot() const { return snapshot_; }
  /// LSN of the last up-to-date marker.
  std::uint64_t marker() const { return marker_; }

 private:
  /// A cell as the application holds it, with its part of the digest.
  struct HeldCell {
    Cell cell;
    Hash128 hash;
  };
  using HeldRow = std::vector<HeldCell>;

  void apply_change(const Message& message, const Object& object);
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
};

}  // namespace holdfast::oracle
