#include "core/storage/packing.hpp"

#include <zlib.h>

#include "core/base/assert.hpp"
#include "core/base/big_endian.hpp"

namespace holdfast::storage {

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void put_u32(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

void put_u64(std::string& out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

std::string offset_key(const protocol::LogOffset& offset) {
  ASSERT(offset.started, "only an offset of a record is stored as a key");
  std::string key;
  append_big_endian(key, offset.tx);
  append_big_endian(key, offset.op);
  return key;
}

protocol::LogOffset offset_from_key(std::string_view key) {
  ASSERT(key.size() == 16, "an offset key has 16 bytes");
  return protocol::LogOffset::at(from_big_endian(key.substr(0, 8)), from_big_endian(key.substr(8)));
}

void Unpacker::fail() {
  failed_ = true;
  rest_ = {};
}

std::uint8_t Unpacker::u8() {
  const std::string_view taken = bytes(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint32_t Unpacker::u32() {
  const std::string_view taken = bytes(4);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < taken.size(); ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
  return value;
}

std::uint64_t Unpacker::u64() {
  const std::string_view taken = bytes(8);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < taken.size(); ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
  return value;
}

std::uint64_t Unpacker::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) break;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

std::string_view Unpacker::bytes(std::uint64_t count) {
  if (failed_ || count > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
  rest_.remove_prefix(static_cast<std::size_t>(count));
  return taken;
}

}  // namespace holdfast::storage
