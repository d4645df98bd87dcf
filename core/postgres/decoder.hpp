// Turns the replication stream's bytes into transactions, big ones in fragments (postgres.md
// §9–§11), so that what is held has a bound whatever a transaction's size. One decoder a
// replication session: what it knows of relations is what that session's Relation messages said.
// Used by one process at a time; it never suspends, reads a clock or trusts a length. Cells are not
// copied: they view into the payloads, which the transaction keeps alive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/byte_reader.hpp"
#include "core/postgres/stream.hpp"

namespace holdfast::postgres {

enum class DecodeFailure : std::uint8_t {
  malformed,  ///< the bytes are no message: cut short, too long, an unknown tag or kind
  protocol,   ///< a well-formed message at the wrong time, or about an unknown relation
};

struct DecodeError {
  DecodeFailure kind = DecodeFailure::malformed;
  std::size_t position = 0;  ///< of the offending byte in the payload that was fed
  std::string message;
};

class StreamDecoder {
 public:
  static constexpr std::uint64_t k_default_fragment_bytes = 1 << 20;

  /// What is held of a transaction is given out as a fragment once it has so many bytes.
  explicit StreamDecoder(std::uint64_t fragment_bytes = k_default_fragment_bytes)
      : fragment_bytes_(fragment_bytes) {}

  /// Takes the payload of the next CopyData message ('w' or 'k' with its header). At most one event
  /// results: a Transaction, with its Commit or as a fragment; a Keepalive, unless a transaction is
  /// open; and RelationChanged as soon as its Relation message arrives, thus before the transaction
  /// whose rows it describes, if this session sees the relation for the first time or its name,
  /// replica identity or columns differ from the last message (the receiver compares with what it
  /// knows from earlier sessions). After an error the decoder is spent and repeats that error.
  Result<std::optional<StreamEvent>, DecodeError> feed(std::string payload);

  /// Begin was seen and its Commit not yet: nothing but data may move a position (§9.3).
  bool inside_transaction() const { return open_.has_value(); }
  /// Of that one.
  std::optional<Xid> open_transaction() const {
    return open_ ? std::optional(open_->xid) : std::nullopt;
  }

  /// Whether the server asked for a reply inside a transaction, where no Keepalive is reported: a
  /// status with unchanged positions is due. Asking clears it.
  bool take_reply_request();

  /// Relations described again without a visible difference: something that the stream does not
  /// show may have changed, e.g. the primary key, so what was read from the catalogue is to be read
  /// again (§14.1). Asking clears them.
  std::set<RelationName> take_repeated_relations();

 private:
  using RelationPointer = std::shared_ptr<const StreamRelation>;

  /// Payloads kept for the open transaction, in blocks so that a big one costs one allocation per
  /// k_block payloads and a small one no more than it needs.
  class Payloads {
   public:
    std::string_view keep(std::string payload, Transaction& owner);
    void start() { block_.reset(), capacity_ = 1; }

   private:
    static constexpr std::size_t k_block = 64;
    std::shared_ptr<std::vector<std::string>> block_;
    std::size_t capacity_ = 1;
  };

  bool take_data(std::string payload, std::optional<StreamEvent>& event);
  bool take_keepalive(std::string_view payload, std::optional<StreamEvent>& event);
  bool take_begin(ByteReader& reader);
  bool take_commit(ByteReader& reader, std::optional<StreamEvent>& event);
  bool take_relation(ByteReader& reader, std::optional<StreamEvent>& event);
  bool take_ignored(char tag, ByteReader& reader);
  bool take_row_change(char tag, std::string payload, std::optional<StreamEvent>& event);
  bool take_insert(ByteReader& reader, Change& change);
  bool take_update(ByteReader& reader, Change& change);
  bool take_delete(ByteReader& reader, Change& change);
  /// The rest of an update or delete of which 'K' or 'N' came first, where 'O' had been complete.
  bool take_partial(ByteReader& reader, char before, char tag, Change& change);
  bool take_truncate(ByteReader& reader);

  bool find_relation(ByteReader& reader, RelationPointer& found);
  bool read_tuple(ByteReader& reader, const StreamRelation& relation, const Tuple* old_tuple,
                  Tuple& tuple);
  bool expect_open(const ByteReader& reader, const char* what);
  bool expect_end(const ByteReader& reader, const char* what);
  bool fail(DecodeFailure kind, std::size_t position, std::string message);
  void append(Change change);
  Transaction take_fragment();

  std::uint64_t fragment_bytes_;
  std::map<Oid, RelationPointer> relations_;
  RelationPointer last_relation_;  // of the last row change: rows of one table come in runs
  std::optional<Transaction> open_;
  Payloads payloads_;
  std::uint64_t next_op_ = 0;     // of the open transaction
  std::uint64_t held_bytes_ = 0;  // of it, since its last fragment
  bool reply_requested_ = false;
  std::set<RelationName> repeated_;
  std::optional<DecodeError> failed_;
};

}  // namespace holdfast::postgres
