#include "core/stack/log/set_aside_input.hpp"

#include "core/base/big_endian.hpp"
#include "core/where/tuple_bytes.hpp"

namespace holdfast::stack {
namespace {

using where::ByteReader;
using where::ByteWriter;
using where::read_tuple;
using where::write_tuple;

constexpr std::uint64_t k_version = 1;
constexpr std::size_t k_number_bytes = 8;

void write_relation(ByteWriter& out, const postgres::StreamRelation& relation) {
  out.number(relation.oid.value);
  out.text(relation.name.schema);
  out.text(relation.name.table);
  out.number(static_cast<unsigned char>(relation.replica_identity));
  out.number(relation.columns.size());
  for (const postgres::StreamRelation::Column& column : relation.columns) {
    out.text(column.name);
    out.number(column.type.value);
    out.number(static_cast<std::uint32_t>(column.type_modifier));
    out.number(column.part_of_key ? 1 : 0);
  }
}

std::shared_ptr<const postgres::StreamRelation> read_relation(ByteReader& in) {
  auto relation = std::make_shared<postgres::StreamRelation>();
  relation->oid.value = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
  relation->name.schema = in.text();
  relation->name.table = in.text();
  relation->replica_identity = static_cast<char>(in.number_up_to(0x7f));
  relation->columns.resize(in.count());
  for (postgres::StreamRelation::Column& column : relation->columns) {
    column.name = in.text();
    column.type.value = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
    column.type_modifier = static_cast<std::int32_t>(in.number_up_to(0xffffffff));
    column.part_of_key = in.number_up_to(1) == 1;
  }
  return relation;
}

}  // namespace

std::string key_of_input(const DeliveredTransaction& delivered) {
  std::string key;
  append_big_endian(key, delivered.transaction->commit_lsn.value);
  append_big_endian(key, delivered.transaction->changes[delivered.changes.front()].op);
  return key;
}

postgres::Lsn commit_of_key(std::string_view key) {
  if (key.size() != 2 * k_number_bytes) return {};
  return {from_big_endian(key.substr(0, k_number_bytes))};
}

std::string bytes_of_input(const DeliveredTransaction& delivered) {
  const postgres::Transaction& transaction = *delivered.transaction;
  ByteWriter out;
  out.number(k_version);
  out.number(transaction.xid.value);
  out.number(transaction.commit_lsn.value);
  out.number(transaction.end_lsn.value);
  out.number(delivered.changes.size());
  const postgres::StreamRelation* relation = nullptr;
  for (const std::uint32_t index : delivered.changes) {
    const postgres::Change& change = transaction.changes[index];
    const bool as_before = change.relation.get() == relation;
    relation = change.relation.get();
    out.number(as_before ? 1 : 0);
    if (!as_before) write_relation(out, *relation);
    out.number(static_cast<std::uint64_t>(change.kind));
    out.number(change.op);
    write_tuple(out, change.old_tuple);
    write_tuple(out, change.new_tuple);
  }
  return out.take();
}

std::optional<DeliveredTransaction> input_of_bytes(std::string_view stored) {
  const auto bytes = std::make_shared<const std::string>(stored);
  ByteReader in(*bytes);
  if (in.number() != k_version) return std::nullopt;
  auto transaction = std::make_shared<postgres::Transaction>();
  transaction->buffers.push_back(bytes);
  transaction->xid.value = static_cast<std::uint32_t>(in.number_up_to(0xffffffff));
  transaction->commit_lsn.value = in.number();
  transaction->end_lsn.value = in.number();
  transaction->changes.resize(in.count());
  DeliveredTransaction delivered{nullptr, std::make_shared<EncodedChanges>(), {}};
  std::shared_ptr<const postgres::StreamRelation> relation;
  for (std::uint32_t i = 0; i < transaction->changes.size(); ++i) {
    postgres::Change& change = transaction->changes[i];
    if (in.number_up_to(1) == 0) relation = read_relation(in);
    change.relation = relation;
    change.kind = static_cast<postgres::ChangeKind>(in.number_up_to(4));
    change.op = in.number();
    change.old_tuple = read_tuple(in);
    change.new_tuple = read_tuple(in);
    delivered.changes.push_back(i);
  }
  if (!in.finished() || delivered.changes.empty() || relation == nullptr) return std::nullopt;
  delivered.transaction = std::move(transaction);
  return delivered;
}

}  // namespace holdfast::stack
