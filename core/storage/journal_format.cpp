#include "core/storage/journal_format.hpp"

#include "core/storage/packing.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint8_t k_version = 1;
constexpr std::size_t k_checksum_bytes = 4;
constexpr std::uint64_t k_last = 1;
constexpr std::uint64_t k_closes_chunk = 2;
constexpr std::uint64_t k_own_offset = 4;
constexpr unsigned k_flag_bits = 3;

void seal_with_checksum(std::string& row) {
  std::string sum;
  put_u32(sum, checksum(std::string_view(row).substr(k_checksum_bytes)));
  row.replace(0, k_checksum_bytes, sum);
}

/// The body of a row whose checksum and version are right.
std::optional<std::string_view> checked_body(std::string_view row) {
  Unpacker unpack(row);
  const std::uint32_t sum = unpack.u32();
  if (unpack.failed() || sum != checksum(row.substr(k_checksum_bytes))) return std::nullopt;
  if (unpack.u8() != k_version || unpack.failed()) return std::nullopt;
  return row.substr(k_checksum_bytes + 1);
}

std::optional<Section> parse_body(std::uint64_t shape, std::string_view body) {
  Unpacker unpack(body);
  Section section;
  SectionHeader& header = section.header;
  header.shape = shape;
  const std::uint64_t first_tx = unpack.varint();
  header.first = protocol::LogOffset::at(first_tx, unpack.varint());
  const std::uint64_t last_tx = first_tx + unpack.varint();
  header.last = protocol::LogOffset::at(last_tx, unpack.varint());
  header.open_bytes = unpack.varint();
  header.item_bytes = unpack.varint();
  header.count = unpack.varint();
  if (unpack.failed()) return std::nullopt;
  section.bytes = static_cast<std::uint32_t>(body.size());
  section.records = body.substr(unpack.position());
  return section;
}

}  // namespace

std::optional<ItemBlock> ItemBlock::parse(std::string row) {
  ItemBlock block;
  block.row_ = std::move(row);
  const auto body = checked_body(block.row_);
  if (!body) return std::nullopt;
  Unpacker unpack(*body);
  const std::uint64_t count = unpack.varint();
  if (count > body->size()) return std::nullopt;
  block.items_.reserve(static_cast<std::size_t>(count));
  std::uint64_t tx = 0;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t size = unpack.varint();
    tx += static_cast<std::uint64_t>(unzigzag(unpack.varint()));
    const std::uint64_t op = unpack.varint();
    block.items_.push_back({static_cast<std::size_t>(total), static_cast<std::size_t>(size),
                            protocol::LogOffset::at(tx, op)});
    total += size;
    if (size > body->size()) return std::nullopt;
  }
  const std::size_t start = block.row_.size() - body->size() + unpack.position();
  if (unpack.failed() || start + total != block.row_.size()) return std::nullopt;
  for (Item& item : block.items_) item.begin += start;
  return block;
}

void ItemBlockWriter::add(std::string_view json, const protocol::LogOffset& offset) {
  put_varint(directory_, json.size());
  put_varint(directory_, zigzag(static_cast<std::int64_t>(offset.tx - previous_tx_)));
  put_varint(directory_, offset.op);
  previous_tx_ = offset.tx;
  bytes_.append(json);
  ++count_;
  if (bytes_.size() >= k_item_block_bytes) close();
}

void ItemBlockWriter::close() {
  std::string row(k_checksum_bytes, '\0');
  row.reserve(row.size() + 11 + directory_.size() + bytes_.size());
  row.push_back(static_cast<char>(k_version));
  put_varint(row, count_);
  row.append(directory_).append(bytes_);
  seal_with_checksum(row);
  rows_.push_back(std::move(row));
  counts_.push_back(count_);
  directory_.clear();
  bytes_.clear();
  count_ = 0;
  previous_tx_ = 0;
}

std::vector<std::string> ItemBlockWriter::finish() {
  if (count_ > 0) close();
  return std::move(rows_);
}

void RecordEncoder::add(const PackedRecord& record) {
  const auto distance = static_cast<std::int64_t>(record.item - next_item_);
  std::uint64_t code = zigzag(distance) << k_flag_bits;
  if (record.last) code |= k_last;
  if (record.closes_chunk) code |= k_closes_chunk;
  if (record.offset) code |= k_own_offset;
  put_varint(bytes_, code);
  if (record.offset) {
    put_varint(bytes_, record.offset->tx);
    put_varint(bytes_, record.offset->op);
  }
  next_item_ = record.item + 1;
}

bool RecordDecoder::next(PackedRecord& record) {
  if (left_ == 0) {
    failed_ = failed_ || !rest_.empty();
    return false;
  }
  Unpacker unpack(rest_);
  const std::uint64_t code = unpack.varint();
  record.item = next_item_ + static_cast<std::uint64_t>(unzigzag(code >> k_flag_bits));
  record.last = (code & k_last) != 0;
  record.closes_chunk = (code & k_closes_chunk) != 0;
  record.offset.reset();
  if ((code & k_own_offset) != 0) {
    const std::uint64_t tx = unpack.varint();
    record.offset = protocol::LogOffset::at(tx, unpack.varint());
  }
  if (unpack.failed()) {
    failed_ = true;
    return false;
  }
  rest_.remove_prefix(unpack.position());
  next_item_ = record.item + 1;
  --left_;
  return true;
}

ReferenceRowWriter::ReferenceRowWriter(const ItemRows& items) {
  row_.assign(k_checksum_bytes, '\0');
  row_.push_back(static_cast<char>(k_version));
  put_varint(row_, items.first_row);
  put_varint(row_, items.counts.size());
  for (const std::uint64_t count : items.counts) put_varint(row_, count);
}

std::pair<std::uint32_t, std::uint32_t> ReferenceRowWriter::add(const SectionHeader& header,
                                                                std::string_view records) {
  std::string body;
  body.reserve(records.size() + 48);
  put_varint(body, header.first.tx);
  put_varint(body, header.first.op);
  put_varint(body, header.last.tx - header.first.tx);
  put_varint(body, header.last.op);
  put_varint(body, header.open_bytes);
  put_varint(body, header.item_bytes);
  put_varint(body, header.count);
  body.append(records);
  put_varint(row_, header.shape);
  put_varint(row_, body.size());
  const auto position = static_cast<std::uint32_t>(row_.size());
  row_.append(body);
  ++sections_;
  return {position, static_cast<std::uint32_t>(body.size())};
}

std::string ReferenceRowWriter::finish() {
  seal_with_checksum(row_);
  return std::move(row_);
}

std::optional<ReferenceRow> ReferenceRow::parse(std::string row) {
  ReferenceRow parsed;
  parsed.row_ = std::move(row);
  const auto body = checked_body(parsed.row_);
  if (!body) return std::nullopt;
  Unpacker unpack(*body);
  parsed.items_.first_row = unpack.varint();
  const std::uint64_t blocks = unpack.varint();
  if (blocks > body->size()) return std::nullopt;
  parsed.items_.counts.reserve(static_cast<std::size_t>(blocks));
  for (std::uint64_t i = 0; i < blocks; ++i) parsed.items_.counts.push_back(unpack.varint());
  if (unpack.failed()) return std::nullopt;
  parsed.first_section_ = parsed.row_.size() - body->size() + unpack.position();
  return parsed;
}

std::optional<Section> ReferenceRow::section(std::uint64_t shape, std::uint32_t position,
                                             std::uint32_t bytes) const {
  if (position > row_.size() || bytes > row_.size() - position) return std::nullopt;
  auto section = parse_body(shape, std::string_view(row_).substr(position, bytes));
  if (section) section->position = position;
  return section;
}

std::optional<std::vector<Section>> ReferenceRow::sections() const {
  std::vector<Section> result;
  Unpacker unpack(std::string_view(row_).substr(first_section_));
  while (!unpack.empty()) {
    const std::uint64_t shape = unpack.varint();
    const std::uint64_t bytes = unpack.varint();
    const std::size_t position = first_section_ + unpack.position();
    const std::string_view body = unpack.bytes(bytes);
    if (unpack.failed()) return std::nullopt;
    auto section = parse_body(shape, body);
    if (!section) return std::nullopt;
    section->position = static_cast<std::uint32_t>(position);
    result.push_back(*section);
  }
  return result;
}

}  // namespace holdfast::storage
