#include "sim/postgres/stream/pgoutput.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

using holdfast::postgres::ChangeKind;

class Writer {
 public:
  explicit Writer(char tag) { bytes_.push_back(tag); }

  Writer& u8(std::uint8_t x) { return big_endian(x, 1); }
  Writer& u16(std::size_t x) { return big_endian(x, 2); }
  Writer& u32(std::uint64_t x) { return big_endian(x, 4); }
  Writer& u64(std::uint64_t x) { return big_endian(x, 8); }
  Writer& tag(char c) {
    bytes_.push_back(c);
    return *this;
  }
  Writer& name(const std::string& text) {
    bytes_.append(text).push_back('\0');
    return *this;
  }
  Writer& raw(const std::string& text) {
    bytes_.append(text);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  Writer& big_endian(std::uint64_t x, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
      bytes_.push_back(static_cast<char>((x >> shift) & 0xffU));
    return *this;
  }

  std::string bytes_;
};

bool in_identity(const TableVersion& table, const Column& column) {
  switch (table.identity) {
    case ReplicaIdentity::full:
      return true;
    case ReplicaIdentity::by_default:
      return column.key_position != 0;
    case ReplicaIdentity::nothing:
      return false;
  }
  ASSERT(false, "every identity says which columns it holds");
}

void write_cell(Writer& out, const Row& row, std::uint16_t slot) {
  if (row.is_null(slot)) {
    out.tag('n');
    return;
  }
  out.tag('t').u32(row.texts[slot].size()).raw(row.texts[slot]);
}

void write_new_tuple(Writer& out, const LoggedChange& change) {
  out.tag('N').u16(change.table->columns.size());
  for (const Column& column : change.table->columns) {
    if (column.slot < change.unchanged.size() && change.unchanged[column.slot])
      out.tag('u');
    else
      write_cell(out, *change.new_row, column.slot);
  }
}

void write_old_tuple(Writer& out, const LoggedChange& change) {
  const TableVersion& table = *change.table;
  out.tag(table.identity == ReplicaIdentity::full ? 'O' : 'K').u16(table.columns.size());
  for (const Column& column : table.columns) {
    if (in_identity(table, column))
      write_cell(out, *change.old_row, column.slot);
    else
      out.tag('n');
  }
}

bool key_changed(const LoggedChange& change) {
  const TableVersion& table = *change.table;
  return std::any_of(table.key.begin(), table.key.end(), [&](std::uint16_t position) {
    const std::uint16_t slot = table.columns[position].slot;
    return change.old_row->texts[slot] != change.new_row->texts[slot];
  });
}

}  // namespace

std::string encode_begin(const Transaction& transaction) {
  return Writer('B')
      .u64(transaction.commit_lsn.value)
      .u64(static_cast<std::uint64_t>(transaction.commit_time_us))
      .u32(transaction.xid.truncated().value)
      .take();
}

std::string encode_commit(const Transaction& transaction) {
  return Writer('C')
      .u8(0)
      .u64(transaction.commit_lsn.value)
      .u64(transaction.end_lsn.value)
      .u64(static_cast<std::uint64_t>(transaction.commit_time_us))
      .take();
}

std::string encode_relation(const TableVersion& table) {
  Writer out('R');
  out.u32(table.oid.value).name(table.name.schema).name(table.name.table);
  out.tag(static_cast<char>(table.identity)).u16(table.columns.size());
  for (const Column& column : table.columns) {
    out.u8(in_identity(table, column) ? 1 : 0).name(column.name);
    out.u32(oid_of(column.type).value).u32(0xffffffffU);
  }
  return out.take();
}

std::string encode_change(const LoggedChange& change) {
  const TableVersion& table = *change.table;
  switch (change.kind) {
    case ChangeKind::insert: {
      Writer out('I');
      out.u32(table.oid.value);
      write_new_tuple(out, change);
      return out.take();
    }
    case ChangeKind::update: {
      Writer out('U');
      out.u32(table.oid.value);
      if (table.identity == ReplicaIdentity::full || key_changed(change))
        write_old_tuple(out, change);
      write_new_tuple(out, change);
      return out.take();
    }
    case ChangeKind::erase: {
      Writer out('D');
      out.u32(table.oid.value);
      write_old_tuple(out, change);
      return out.take();
    }
    case ChangeKind::truncate:
    case ChangeKind::partial:
      break;
  }
  ASSERT(false, "a TRUNCATE is encoded with its published tables, and no change is partial here");
}

std::string encode_truncate(const std::vector<Oid>& tables) {
  ASSERT(!tables.empty(), "a TRUNCATE message names a table");
  Writer out('T');
  out.u32(tables.size()).u8(0);
  for (const Oid table : tables) out.u32(table.value);
  return out.take();
}

std::string wrap_data(Lsn position, std::int64_t clock_us, const std::string& message) {
  return Writer('w')
      .u64(position.value)
      .u64(position.value)
      .u64(static_cast<std::uint64_t>(clock_us))
      .raw(message)
      .take();
}

std::string make_keepalive(Lsn wal_end, std::int64_t clock_us, Reply reply) {
  return Writer('k')
      .u64(wal_end.value)
      .u64(static_cast<std::uint64_t>(clock_us))
      .u8(reply == Reply::requested ? 1 : 0)
      .take();
}

}  // namespace holdfast::sim::postgres
