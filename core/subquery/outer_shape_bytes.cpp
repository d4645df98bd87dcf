// The stored form of an outer shape: views, what waits, what is buffered (design.md §7).
#include "core/subquery/outer_shape.hpp"

namespace holdfast::subquery {
namespace {

using where::ByteReader;
using where::ByteWriter;

constexpr std::uint64_t k_version = 1;

void write_tuple(ByteWriter& out, const postgres::Tuple& tuple) {
  out.number(tuple.size());
  for (const auto& cell : tuple) {
    out.number(cell ? 1 : 0);
    if (cell) out.text(*cell);
  }
}

/// The cells view into the bytes that are read.
postgres::Tuple read_tuple(ByteReader& in) {
  postgres::Tuple tuple(in.count());
  for (auto& cell : tuple)
    if (in.number_up_to(1) == 1) cell = in.text();
  return tuple;
}

void write_transaction(ByteWriter& out, const OuterTransaction& outer) {
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
  out.text(body.take());
}

/// Only what concerns the shape comes back, so that the changes are numbered anew.
bool read_transaction(ByteReader& from, OuterTransaction& outer) {
  const auto bytes = std::make_shared<const std::string>(from.text());
  ByteReader in(*bytes);
  auto transaction = std::make_shared<postgres::Transaction>();
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
    outer.changes.push_back(i);
  }
  outer.transaction = std::move(transaction);
  return in.finished();
}

void write_set(ByteWriter& out, const ValueSet& set) {
  out.number(set.size());
  for (const std::string& value : set.values()) out.text(value);
}

ValueSet read_set(ByteReader& in) {
  std::vector<std::string> values(in.count());
  for (std::string& value : values) value = in.text();
  return ValueSet(values);
}

}  // namespace

std::string OuterShape::serialize() const {
  ByteWriter out;
  out.number(k_version);
  out.number((snapshot_complete_ ? 1U : 0U) | (pending_ ? 2U : 0U));
  out.number(attempts_);
  out.number(head_.tx);
  out.number(head_.op);
  out.number(handled_.value);
  out.number(position_.value);
  for (const ValueSet& set : views_.sets) write_set(out, set);
  if (pending_ && snapshot_complete_) write_batch(out, pending_->batch);
  queue_.write(out);
  out.number(buffer_.size());
  for (const OuterTransaction& transaction : buffer_) write_transaction(out, transaction);
  return out.take();
}

Result<OuterShape> OuterShape::deserialize(std::string_view bytes,
                                           std::shared_ptr<const shape::Definition> definition,
                                           const protocol::ShapeHandle& handle, Options options) {
  ByteReader in(bytes);
  if (in.number() != k_version) return fail("an outer shape's state of an unknown version");
  const std::size_t dependencies = definition->dependencies().size();
  OuterShape made(std::move(definition), handle, Views(std::vector<ValueSet>(dependencies)),
                  std::move(options));
  const std::uint64_t flags = in.number_up_to(3);
  made.snapshot_complete_ = (flags & 1U) != 0;
  made.attempts_ = in.number();
  made.head_.tx = in.number();
  made.head_.op = in.number();
  made.handled_.value = in.number();
  made.position_.value = in.number();
  for (ValueSet& set : made.views_.sets) set = read_set(in);
  if ((flags & 2U) != 0) {
    Pending pending;
    pending.target = made.views_;
    if (made.snapshot_complete_) {
      if (!read_batch(in, pending.batch) || pending.batch.delta.dependency >= dependencies)
        return fail("an outer shape's state is damaged");
      ValueSet& set = pending.target.sets[pending.batch.delta.dependency];
      set = changed(set, pending.batch.delta);
    }
    made.pending_ = std::move(pending);
  }
  if (!made.queue_.read(in)) return fail("an outer shape's state is damaged");
  const std::size_t buffered = in.count();
  for (std::size_t i = 0; i < buffered; ++i) {
    OuterTransaction transaction;
    if (!read_transaction(in, transaction)) return fail("an outer shape's state is damaged");
    made.buffer_.push_back(std::move(transaction));
  }
  if (!in.finished()) return fail("an outer shape's state is damaged");
  return made;
}

}  // namespace holdfast::subquery
