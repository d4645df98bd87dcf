// Replication messages by hand, byte for byte after postgres.md §9.1 and §10; shares no code with
// the decoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::postgres::wire {

class Bytes {
 public:
  Bytes& tag(char c) { return text_.push_back(c), *this; }
  Bytes& u8(unsigned v) { return number(v, 1); }
  Bytes& u16(unsigned v) { return number(v, 2); }
  Bytes& u32(std::uint64_t v) { return number(v, 4); }
  Bytes& u64(std::uint64_t v) { return number(v, 8); }
  Bytes& raw(const std::string& s) { return text_ += s, *this; }
  Bytes& zero_ended(const std::string& s) { return text_ += s, text_.push_back('\0'), *this; }
  const std::string& text() const { return text_; }

 private:
  Bytes& number(std::uint64_t v, int size) {
    for (int i = size - 1; i >= 0; --i) text_.push_back(static_cast<char>(v >> (8 * i)));
    return *this;
  }
  std::string text_;
};

inline std::string data(const std::string& message) {
  return Bytes().tag('w').u64(11).u64(22).u64(33).raw(message).text();
}
inline std::string keepalive(std::uint64_t wal_end, bool reply = false) {
  return Bytes().tag('k').u64(wal_end).u64(7).u8(reply ? 1 : 0).text();
}
inline std::string begin(std::uint64_t lsn, std::uint32_t xid, std::uint64_t time_us = 5) {
  return data(Bytes().tag('B').u64(lsn).u64(time_us).u32(xid).text());
}
inline std::string commit(std::uint64_t lsn, std::uint64_t end) {
  return data(Bytes().tag('C').u8(0).u64(lsn).u64(end).u64(5).text());
}

struct Column {
  std::string name;
  std::uint32_t type = 25;
  bool key = false;
};
inline std::string relation(std::uint32_t oid, const std::string& schema, const std::string& table,
                            const std::vector<Column>& columns, char identity = 'f') {
  Bytes b;
  b.tag('R').u32(oid).zero_ended(schema).zero_ended(table).tag(identity);
  b.u16(static_cast<unsigned>(columns.size()));
  for (const Column& c : columns)
    b.u8(c.key ? 1 : 0).zero_ended(c.name).u32(c.type).u32(0xffffffff);
  return data(b.text());
}

/// A cell as sent: text, NULL, or "unchanged".
struct Cell {
  char kind = 't';
  std::string text;
};
inline Cell t(std::string text) {
  return {'t', std::move(text)};
}
inline Cell null() {
  return {'n', {}};
}
inline Cell same() {
  return {'u', {}};
}
using Row = std::vector<Cell>;

inline std::string tuple(const Row& row) {
  Bytes b;
  b.u16(static_cast<unsigned>(row.size()));
  for (const Cell& c : row) {
    b.tag(c.kind);
    if (c.kind == 't' || c.kind == 'b') b.u32(c.text.size()).raw(c.text);
  }
  return b.text();
}
inline std::string insert(std::uint32_t oid, const Row& row) {
  return data(Bytes().tag('I').u32(oid).tag('N').raw(tuple(row)).text());
}
inline std::string update(std::uint32_t oid, const Row& before, const Row& after, char form = 'O') {
  return data(
      Bytes().tag('U').u32(oid).tag(form).raw(tuple(before)).tag('N').raw(tuple(after)).text());
}
inline std::string update_without_old(std::uint32_t oid, const Row& after) {
  return data(Bytes().tag('U').u32(oid).tag('N').raw(tuple(after)).text());
}
inline std::string erase(std::uint32_t oid, const Row& before, char form = 'O') {
  return data(Bytes().tag('D').u32(oid).tag(form).raw(tuple(before)).text());
}
inline std::string truncate(const std::vector<std::uint32_t>& oids, unsigned options = 0) {
  Bytes b;
  b.tag('T').u32(oids.size()).u8(options);
  for (const std::uint32_t oid : oids) b.u32(oid);
  return data(b.text());
}
inline std::string origin(const std::string& name) {
  return data(Bytes().tag('O').u64(9).zero_ended(name).text());
}
inline std::string type(std::uint32_t oid, const std::string& schema, const std::string& name) {
  return data(Bytes().tag('Y').u32(oid).zero_ended(schema).zero_ended(name).text());
}
inline std::string message(const std::string& prefix, const std::string& content) {
  return data(
      Bytes().tag('M').u8(1).u64(9).zero_ended(prefix).u32(content.size()).raw(content).text());
}

}  // namespace holdfast::postgres::wire
