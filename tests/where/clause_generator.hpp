// Random where clauses and rows over the sample relation, rich in edges: NULLs, infinities,
// padding, precision limits, patterns with escapes. A pure function of its seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::where::test {

class ClauseGenerator {
 public:
  /// A column of a type that a clause can only test for NULL: j, jsonb.
  enum class OpaqueColumn : std::uint8_t { in_the_relation, none };

  explicit ClauseGenerator(std::uint64_t seed, OpaqueColumn opaque = OpaqueColumn::in_the_relation)
      : seed_(seed), opaque_(opaque) {}

  /// A boolean expression; most are valid, some have types that do not go together.
  std::string clause() { return boolean(below(4)); }
  /// A cell's text for each column of the sample relation; nullopt: NULL.
  std::vector<std::optional<std::string>> row();

 private:
  using Texts = std::vector<std::string>;

  std::size_t below(std::size_t n);
  const std::string& one_of(const Texts& texts) { return texts[below(texts.size())]; }

  std::string boolean(std::size_t depth);
  std::string leaf();
  std::string operand(std::size_t family);
  std::string literal(std::size_t family);
  std::string column(std::size_t family);
  std::string list(std::size_t family);
  std::string pattern();

  std::uint64_t seed_;
  OpaqueColumn opaque_;
  std::uint64_t draws_ = 0;
};

}  // namespace holdfast::where::test
