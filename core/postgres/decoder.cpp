#include "core/postgres/decoder.hpp"

#include <utility>

namespace holdfast::postgres {
namespace {

constexpr std::size_t k_data_header_bytes = 25;  // 'w', walStart, walEnd, clock
/// What a change costs beside its cells; a round number, the same in every build.
constexpr std::uint64_t k_change_bytes = 128;

std::string printable(char tag) {
  const auto byte = static_cast<unsigned char>(tag);
  if (byte > 0x20 && byte < 0x7f) return std::string("'") + tag + "'";
  constexpr char k_digits[] = "0123456789abcdef";
  return std::string("byte 0x") + k_digits[byte >> 4] + k_digits[byte & 15U];
}

}  // namespace

std::string_view StreamDecoder::Payloads::keep(std::string payload, Transaction& owner) {
  if (!block_ || block_->size() == capacity_) {
    if (block_) capacity_ = k_block;
    block_ = std::make_shared<std::vector<std::string>>();
    block_->reserve(capacity_);  // never exceeded: the strings must not move
    // One pointer for the whole block: it shares the block's life.
    block_->emplace_back(std::move(payload));
    owner.buffers.emplace_back(block_, block_->data());
  } else {
    block_->emplace_back(std::move(payload));
  }
  return block_->back();
}

Result<std::optional<StreamEvent>, DecodeError> StreamDecoder::feed(std::string payload) {
  if (failed_) return Failure{*failed_};
  std::optional<StreamEvent> event;
  bool taken = false;
  if (payload.empty())
    taken = fail(DecodeFailure::malformed, 0, "an empty message on the replication stream");
  else if (payload[0] == 'w')
    taken = take_data(std::move(payload), event);
  else if (payload[0] == 'k')
    taken = take_keepalive(payload, event);
  else
    taken = fail(DecodeFailure::malformed, 0,
                 "unknown message " + printable(payload[0]) + " on the replication stream");
  if (!taken) {
    ASSERT(failed_.has_value(), "a message is refused with an error");
    open_.reset();
    return Failure{*failed_};
  }
  return event;
}

bool StreamDecoder::take_reply_request() {
  return std::exchange(reply_requested_, false);
}

std::set<RelationName> StreamDecoder::take_repeated_relations() {
  return std::exchange(repeated_, {});
}

bool StreamDecoder::take_data(std::string payload, std::optional<StreamEvent>& event) {
  if (payload.size() <= k_data_header_bytes)
    return fail(DecodeFailure::malformed, payload.size(), "a data message without content");
  const char tag = payload[k_data_header_bytes];
  if (tag == 'I' || tag == 'U' || tag == 'D')
    return take_row_change(tag, std::move(payload), event);

  ByteReader reader(payload);
  reader.bytes(k_data_header_bytes + 1);
  switch (tag) {
    case 'B':
      return take_begin(reader);
    case 'C':
      return take_commit(reader, event);
    case 'R':
      return take_relation(reader, event);
    case 'T':
      return take_truncate(reader);
    case 'O':
    case 'Y':
    case 'M':
      return take_ignored(tag, reader);
    default:
      return fail(DecodeFailure::malformed, k_data_header_bytes,
                  "unknown pgoutput message " + printable(tag));
  }
}

bool StreamDecoder::take_keepalive(std::string_view payload, std::optional<StreamEvent>& event) {
  ByteReader reader(payload);
  reader.tag();
  const Lsn wal_end{reader.u64()};
  reader.u64();  // the server's clock
  const bool reply_requested = reader.u8() != 0;
  if (!expect_end(reader, "a keepalive")) return false;
  if (open_)
    reply_requested_ = reply_requested_ || reply_requested;
  else
    event = Keepalive{wal_end, reply_requested};
  return true;
}

bool StreamDecoder::take_begin(ByteReader& reader) {
  Transaction begun;
  begun.commit_lsn = {reader.u64()};
  begun.commit_time_us = static_cast<std::int64_t>(reader.u64());
  begun.xid = {reader.u32()};
  if (!expect_end(reader, "a Begin")) return false;
  if (open_)
    return fail(DecodeFailure::protocol, k_data_header_bytes,
                "a Begin inside of the transaction at " + open_->commit_lsn.to_string());
  open_ = std::move(begun);
  payloads_.start();
  next_op_ = 0;
  held_bytes_ = 0;
  return true;
}

bool StreamDecoder::take_commit(ByteReader& reader, std::optional<StreamEvent>& event) {
  reader.u8();  // flags, none defined
  const Lsn commit_lsn{reader.u64()};
  const Lsn end_lsn{reader.u64()};
  reader.u64();  // the commit time that Begin has told
  if (!expect_end(reader, "a Commit") || !expect_open(reader, "a Commit")) return false;
  if (commit_lsn != open_->commit_lsn || end_lsn < commit_lsn)
    return fail(DecodeFailure::protocol, k_data_header_bytes + 2,
                "a Commit at " + commit_lsn.to_string() + " to " + end_lsn.to_string() +
                    " of the transaction that began as " + open_->commit_lsn.to_string());
  open_->end_lsn = end_lsn;
  event = std::move(*open_);
  open_.reset();
  payloads_.start();
  return true;
}

bool StreamDecoder::take_relation(ByteReader& reader, std::optional<StreamEvent>& event) {
  StreamRelation told;
  told.oid = {reader.u32()};
  told.name.schema = reader.c_string();
  if (told.name.schema.empty()) told.name.schema = "pg_catalog";
  told.name.table = reader.c_string();
  told.replica_identity = reader.tag();
  const std::uint16_t columns = reader.u16();
  for (unsigned i = 0; i < columns && !reader.failed(); ++i) {
    StreamRelation::Column column;
    column.part_of_key = (reader.u8() & 1U) != 0;
    column.name = reader.c_string();
    column.type = {reader.u32()};
    column.type_modifier = static_cast<std::int32_t>(reader.u32());
    told.columns.push_back(std::move(column));
  }
  if (!expect_end(reader, "a Relation")) return false;

  RelationPointer& known = relations_[told.oid];
  if (known && *known == told) {
    repeated_.insert(told.name);
    return true;
  }
  const bool altered = known != nullptr;
  // Changes before this message keep the description they were decoded with.
  known = std::make_shared<const StreamRelation>(std::move(told));
  last_relation_ = nullptr;
  event = RelationChanged{known, altered};
  return true;
}

// Origin, Type and Message carry nothing a shape needs, but their bytes must make sense.
bool StreamDecoder::take_ignored(char tag, ByteReader& reader) {
  if (tag == 'O') {
    reader.u64();
    reader.c_string();
    return expect_end(reader, "an Origin");
  }
  if (tag == 'Y') {
    reader.u32();
    reader.c_string();
    reader.c_string();
    return expect_end(reader, "a Type");
  }
  reader.u8();
  reader.u64();
  reader.c_string();
  reader.bytes(reader.u32());
  return expect_end(reader, "a Message");
}

bool StreamDecoder::take_row_change(char tag, std::string payload,
                                    std::optional<StreamEvent>& event) {
  if (!open_)
    return fail(DecodeFailure::protocol, k_data_header_bytes, "a row change outside a transaction");
  ByteReader reader(payloads_.keep(std::move(payload), *open_));
  reader.bytes(k_data_header_bytes + 1);
  Change change;
  if (!find_relation(reader, change.relation)) return false;
  const bool taken = tag == 'I'   ? take_insert(reader, change)
                     : tag == 'U' ? take_update(reader, change)
                                  : take_delete(reader, change);
  if (!taken || !expect_end(reader, "a row change")) return false;
  append(std::move(change));
  if (held_bytes_ >= fragment_bytes_) event = take_fragment();
  return true;
}

Transaction StreamDecoder::take_fragment() {
  Transaction rest;
  rest.xid = open_->xid;
  rest.commit_lsn = open_->commit_lsn;
  rest.commit_time_us = open_->commit_time_us;
  Transaction fragment = std::exchange(*open_, std::move(rest));
  fragment.ends = false;
  payloads_.start();
  held_bytes_ = 0;
  return fragment;
}

bool StreamDecoder::take_insert(ByteReader& reader, Change& change) {
  change.kind = ChangeKind::insert;
  const std::size_t position = reader.position();
  if (reader.tag() != 'N')
    return fail(DecodeFailure::malformed, position, "an Insert without a new tuple");
  return read_tuple(reader, *change.relation, nullptr, change.new_tuple);
}

bool StreamDecoder::take_update(ByteReader& reader, Change& change) {
  change.kind = ChangeKind::update;
  std::size_t position = reader.position();
  const char before = reader.tag();
  if (before == 'N' || before == 'K') return take_partial(reader, before, 'U', change);
  if (before != 'O') return fail(DecodeFailure::malformed, position, "an Update without a tuple");
  if (!read_tuple(reader, *change.relation, nullptr, change.old_tuple)) return false;
  position = reader.position();
  if (reader.tag() != 'N')
    return fail(DecodeFailure::malformed, position, "an Update without a new tuple");
  return read_tuple(reader, *change.relation, &change.old_tuple, change.new_tuple);
}

bool StreamDecoder::take_delete(ByteReader& reader, Change& change) {
  change.kind = ChangeKind::erase;
  const std::size_t position = reader.position();
  const char before = reader.tag();
  // Upstream routes the mostly-null row that a K tuple gives; postgres.md §25 forbids that.
  if (before == 'K') return take_partial(reader, before, 'D', change);
  if (before != 'O')
    return fail(DecodeFailure::malformed, position, "a Delete without an old tuple");
  return read_tuple(reader, *change.relation, nullptr, change.old_tuple);
}

// Of the cells nothing is kept: half of a row tells no shape what became of it.
bool StreamDecoder::take_partial(ByteReader& reader, char before, char tag, Change& change) {
  change.kind = ChangeKind::partial;
  Tuple key;
  if (before == 'K') {
    if (!read_tuple(reader, *change.relation, nullptr, key)) return false;
    if (tag == 'D') return true;
    const std::size_t position = reader.position();
    if (reader.tag() != 'N')
      return fail(DecodeFailure::malformed, position, "an Update without a new tuple");
  }
  const Tuple unknown(change.relation->columns.size());
  Tuple row;
  return read_tuple(reader, *change.relation, &unknown, row);
}

bool StreamDecoder::take_truncate(ByteReader& reader) {
  if (!expect_open(reader, "a Truncate")) return false;
  const std::uint32_t count = reader.u32();
  reader.u8();  // CASCADE and RESTART IDENTITY: Postgres lists the cascaded tables itself
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    Change change;
    change.kind = ChangeKind::truncate;
    if (!find_relation(reader, change.relation)) return false;
    append(std::move(change));
  }
  return expect_end(reader, "a Truncate");
}

bool StreamDecoder::find_relation(ByteReader& reader, RelationPointer& found) {
  const std::size_t position = reader.position();
  const Oid oid{reader.u32()};
  if (reader.failed()) return expect_end(reader, "a row change");
  if (!last_relation_ || last_relation_->oid != oid) {
    const auto known = relations_.find(oid);
    if (known == relations_.end())
      return fail(DecodeFailure::protocol, position,
                  "relation " + std::to_string(oid.value) + " was never described");
    last_relation_ = known->second;
  }
  found = last_relation_;
  return true;
}

// O(columns); one allocation.
bool StreamDecoder::read_tuple(ByteReader& reader, const StreamRelation& relation,
                               const Tuple* old_tuple, Tuple& tuple) {
  const std::size_t start = reader.position();
  const std::uint16_t columns = reader.u16();
  if (reader.failed()) return expect_end(reader, "a tuple");
  if (columns != relation.columns.size())
    return fail(DecodeFailure::protocol, start,
                "a tuple of " + std::to_string(columns) + " columns for " + relation.name.schema +
                    "." + relation.name.table + " with " + std::to_string(relation.columns.size()));
  tuple.reserve(columns);
  for (unsigned i = 0; i < columns; ++i) {
    const std::size_t position = reader.position();
    const char kind = reader.tag();
    if (reader.failed()) return expect_end(reader, "a tuple");
    if (kind == 't') {
      const std::string_view text = reader.bytes(reader.u32());
      if (reader.failed()) return expect_end(reader, "a tuple");
      held_bytes_ += text.size();
      tuple.emplace_back(text);
    } else if (kind == 'n') {
      tuple.emplace_back(std::nullopt);
    } else if (kind == 'u' && old_tuple != nullptr) {
      tuple.push_back((*old_tuple)[i]);
    } else if (kind == 'u') {
      return fail(DecodeFailure::malformed, position, "an unchanged cell without an old tuple");
    } else {
      return fail(DecodeFailure::malformed, position, "unknown cell kind " + printable(kind));
    }
  }
  return true;
}

bool StreamDecoder::expect_open(const ByteReader& reader, const char* what) {
  if (reader.failed() || open_) return true;
  return fail(DecodeFailure::protocol, k_data_header_bytes,
              std::string(what) + " outside a transaction");
}

bool StreamDecoder::expect_end(const ByteReader& reader, const char* what) {
  if (reader.failed())
    return fail(DecodeFailure::malformed, reader.position(), std::string(what) + " is cut short");
  if (!reader.at_end())
    return fail(
        DecodeFailure::malformed, reader.position(),
        std::string(what) + " has " + std::to_string(reader.remaining()) + " bytes too many");
  return true;
}

bool StreamDecoder::fail(DecodeFailure kind, std::size_t position, std::string message) {
  failed_ = DecodeError{kind, position, std::move(message)};
  return false;
}

void StreamDecoder::append(Change change) {
  change.op = next_op_;
  next_op_ += 2;
  held_bytes_ += k_change_bytes;
  open_->changes.push_back(std::move(change));
}

}  // namespace holdfast::postgres
