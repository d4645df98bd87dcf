#include "core/subquery/input_buffer.hpp"

#include <utility>

#include "core/base/assert.hpp"
#include "core/base/big_endian.hpp"
#include "core/where/tuple_bytes.hpp"

namespace holdfast::subquery {
namespace {

using where::ByteReader;
using where::ByteWriter;
using where::read_tuple;
using where::write_tuple;

/// Commit LSN, first and last op, transaction: ascending by bytes as the stream ascends.
constexpr std::size_t k_key_bytes = 28;

std::string bytes_of(const OuterTransaction& outer) {
  const postgres::Transaction& transaction = *outer.transaction;
  ByteWriter body;
  body.number(transaction.xid.value);
  body.number(transaction.commit_lsn.value);
  body.number(transaction.end_lsn.value);
  body.number(outer.changes.size());
  for (const std::uint32_t index : outer.changes) {
    const postgres::Change& change = transaction.changes[index];
    body.number(static_cast<std::uint64_t>(change.kind));
    body.number(change.op);
    write_tuple(body, change.old_tuple);
    write_tuple(body, change.new_tuple);
  }
  return body.take();
}

/// Only what concerns the shape comes back, so that the changes are numbered anew.
std::unique_ptr<const OuterTransaction> outer_transaction(std::string_view stored) {
  const auto bytes = std::make_shared<const std::string>(stored);
  ByteReader in(*bytes);
  auto transaction = std::make_shared<postgres::Transaction>();
  auto outer = std::make_unique<OuterTransaction>();
  transaction->buffers.push_back(bytes);
  transaction->xid.value = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
  transaction->commit_lsn.value = in.number();
  transaction->end_lsn.value = in.number();
  transaction->changes.resize(in.count());
  for (std::uint32_t i = 0; i < transaction->changes.size(); ++i) {
    postgres::Change& change = transaction->changes[i];
    change.kind = static_cast<postgres::ChangeKind>(in.number_up_to(2));
    change.op = in.number();
    change.old_tuple = read_tuple(in);
    change.new_tuple = read_tuple(in);
    outer->changes.push_back(i);
  }
  outer->transaction = std::move(transaction);
  return in.finished() ? std::move(outer) : nullptr;
}

/// As it is held: cells are views into buffers.
std::size_t bytes_held(const postgres::Change& change) {
  std::size_t bytes = sizeof(postgres::Change);
  for (const postgres::Tuple* tuple : {&change.old_tuple, &change.new_tuple})
    for (const auto& cell : *tuple) bytes += sizeof(cell) + (cell ? cell->size() : 0);
  return bytes;
}

}  // namespace

std::string InputBuffer::Part::key() const {
  std::string key;
  append_big_endian(key, commit_lsn.value);
  append_big_endian(key, first_op);
  append_big_endian(key, last_op);
  append_big_endian(key, xid.value);
  key.erase(k_key_bytes - 4, 4);  // of the last number the lower half is all
  return key;
}

void InputBuffer::push(const OuterTransaction& outer, std::size_t part_bytes) {
  const postgres::Transaction& transaction = *outer.transaction;
  std::size_t next = 0;
  if (!parts_.empty() && parts_.back().commit_lsn == transaction.commit_lsn)
    while (next < outer.changes.size() &&
           transaction.changes[outer.changes[next]].op <= parts_.back().last_op)
      ++next;
  while (next < outer.changes.size()) {
    auto body = std::make_unique<OuterTransaction>();
    body->transaction = outer.transaction;
    std::size_t bytes = 0;
    while (next < outer.changes.size() && (bytes == 0 || bytes < part_bytes)) {
      bytes += bytes_held(transaction.changes[outer.changes[next]]);
      body->changes.push_back(outer.changes[next++]);
    }
    const auto op = [&](std::uint32_t index) { return transaction.changes[index].op; };
    const std::uint64_t first_op = op(body->changes.front());
    const std::uint64_t last_op = op(body->changes.back());
    parts_.push_back({transaction.xid, static_cast<std::uint32_t>(bytes), transaction.commit_lsn,
                      first_op, last_op, 0, std::move(body)});
    held_bytes_ += bytes;
  }
}

void InputBuffer::store(std::uint64_t input, std::vector<StateDelta>& changes) {
  for (; stored_ < parts_.size(); ++stored_) {
    Part& part = parts_[stored_];
    part.input = input;
    changes.push_back({number(Space::buffer), part.key(), bytes_of(*part.body)});
  }
}

void InputBuffer::let_go(std::uint64_t stored_before, std::size_t bytes) {
  while (held_bytes_ > bytes && let_go_ < stored_ && parts_[let_go_].input < stored_before) {
    held_bytes_ -= parts_[let_go_].bytes;
    parts_[let_go_++].body.reset();
  }
}

void InputBuffer::drop_first(std::size_t count) {
  ASSERT(count <= parts_.size(), "what is dropped is there");
  parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(count));
}

Result<void> InputBuffer::give_back(const std::vector<StateDelta>& entries) {
  auto part = parts_.begin();
  for (const StateDelta& entry : entries) {
    if (part == parts_.end() || entry.key != part->key()) break;
    if (part->body == nullptr) part->body = outer_transaction(*entry.value);
    if (part->body == nullptr) return fail("input that waits is damaged");
    part->bytes = static_cast<std::uint32_t>(entry.value->size());
    ++part;
  }
  if (part == parts_.begin()) return fail("input that waits is not stored");
  return {};
}

void InputBuffer::clear(std::vector<StateDelta>& changes) {
  if (stored()) changes.push_back({number(Space::buffer)});
  parts_.clear();
  stored_ = let_go_ = held_bytes_ = 0;
}

bool InputBuffer::restore(const std::string& key) {
  if (key.size() != k_key_bytes) return false;
  const std::string_view all = key;
  parts_.push_back({{static_cast<std::uint32_t>(from_big_endian(all.substr(24)))},
                    0,
                    {from_big_endian(all.substr(0, 8))},
                    from_big_endian(all.substr(8, 8)),
                    from_big_endian(all.substr(16, 8)),
                    0,
                    nullptr});
  stored_ = let_go_ = parts_.size();
  return true;
}

}  // namespace holdfast::subquery
