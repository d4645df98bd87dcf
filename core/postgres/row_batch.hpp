// Rows as column texts, packed: one allocation a batch, not one a cell. What a shape query returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.hpp"

namespace holdfast::postgres {

class RowBatch {
 public:
  explicit RowBatch(std::size_t columns) : columns_(columns) {}

  /// Appends the next cell; rows fill from left to right. nullopt is SQL NULL.
  void add_cell(std::optional<std::string_view> text) {
    ends_.push_back((bytes_.size() + (text ? text->size() : 0)) * 2 + (text ? 0 : 1));
    if (text) bytes_.append(*text);
  }

  std::size_t columns() const { return columns_; }
  std::size_t rows() const { return columns_ == 0 ? 0 : ends_.size() / columns_; }
  std::size_t bytes() const { return bytes_.size(); }

  std::optional<std::string_view> cell(std::size_t row, std::size_t column) const {
    const std::size_t at = row * columns_ + column;
    ASSERT(column < columns_ && at < ends_.size(), "a cell is read inside its batch");
    if ((ends_[at] & 1U) != 0) return std::nullopt;
    const std::size_t begin = at == 0 ? 0 : static_cast<std::size_t>(ends_[at - 1] / 2);
    return std::string_view(bytes_).substr(begin, static_cast<std::size_t>(ends_[at] / 2) - begin);
  }

 private:
  std::size_t columns_;
  std::string bytes_;
  std::vector<std::uint64_t> ends_;  ///< end of each cell in bytes_, times two, plus one for NULL
};

}  // namespace holdfast::postgres
