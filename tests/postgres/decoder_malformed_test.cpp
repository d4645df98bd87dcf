// No bytes make the decoder read past its input, crash, or give a half-read event. Run under
// AddressSanitizer too: each payload is copied into a buffer of exactly its size.
#include <gtest/gtest.h>

#include <random>

#include "core/postgres/decoder.hpp"
#include "tests/postgres/wire.hpp"

namespace holdfast::postgres {
namespace {

using namespace wire;

/// One of each message, every one valid after the ones before it.
std::vector<std::string> every_message() {
  return {keepalive(9),
          relation(100, "public", "items", {{"id", 23, true}, {"body", 25}}),
          begin(10, 1),
          origin("elsewhere"),
          type(9999, "public", "mood"),
          message("prefix", "content"),
          insert(100, {t("12"), null()}),
          update(100, {t("12"), t("long")}, {t("13"), same()}),
          erase(100, {t("13"), t("long")}),
          truncate({100, 100}),
          commit(10, 20)};
}

void expect_valid(const StreamEvent& event) {
  const auto* transaction = std::get_if<Transaction>(&event);
  if (transaction == nullptr) return;
  std::size_t bytes = 0;
  for (const Change& change : transaction->changes) {
    ASSERT_NE(change.relation, nullptr);
    for (const Tuple* tuple : {&change.old_tuple, &change.new_tuple}) {
      EXPECT_TRUE(tuple->empty() || tuple->size() == change.relation->columns.size());
      for (const auto& cell : *tuple)
        for (const char c : cell.value_or("")) bytes += static_cast<unsigned char>(c);
    }
  }
  EXPECT_LT(bytes, 1U << 30);  // the sum is there so that every cell is read
}

/// Feeds all up to `index`, then `changed` in its place. Whether that was taken.
bool feed_in_place_of(std::size_t index, const std::string& changed) {
  const std::vector<std::string> all = every_message();
  StreamDecoder decoder;
  for (std::size_t i = 0; i < index; ++i) EXPECT_TRUE(decoder.feed(all[i]).ok());
  const auto event = decoder.feed(std::string(changed.begin(), changed.end()));
  if (event.ok()) {
    if (*event) expect_valid(**event);
    return true;
  }
  EXPECT_LE(event.error().position, changed.size());
  EXPECT_FALSE(event.error().message.empty());
  return false;
}

TEST(DecoderMalformed, refuses_every_message_cut_at_every_byte) {
  const std::vector<std::string> all = every_message();
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_TRUE(feed_in_place_of(i, all[i])) << "whole, message " << i;
    for (std::size_t size = 0; size < all[i].size(); ++size)
      EXPECT_FALSE(feed_in_place_of(i, all[i].substr(0, size)))
          << "message " << i << " at " << size;
  }
}

TEST(DecoderMalformed, refuses_every_message_with_a_byte_too_many) {
  const std::vector<std::string> all = every_message();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const char extra : {'\0', 'N', 't'})
      EXPECT_FALSE(feed_in_place_of(i, all[i] + extra)) << "message " << i;
}

TEST(DecoderMalformed, survives_every_byte_replaced) {
  const std::vector<std::string> all = every_message();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t at = 0; at < all[i].size(); ++at)
      for (unsigned value = 0; value < 256; ++value) {
        std::string changed = all[i];
        changed[at] = static_cast<char>(value);
        feed_in_place_of(i, changed);
      }
}

TEST(DecoderMalformed, refuses_unknown_tags) {
  for (unsigned tag = 0; tag < 256; ++tag) {
    const std::string unknown(1, static_cast<char>(tag));
    if (std::string("wk").find(unknown) == std::string::npos) {
      EXPECT_FALSE(StreamDecoder().feed(unknown + keepalive(1).substr(1)).ok()) << tag;
    }
    if (std::string("BCOYRIUDTM").find(unknown) == std::string::npos) {
      EXPECT_FALSE(StreamDecoder().feed(data(unknown)).ok()) << tag;
    }
  }
}

TEST(DecoderMalformed, trusts_no_length) {
  const std::string cell =
      Bytes().tag('I').u32(100).tag('N').u16(2).tag('t').u32(0xffffffff).text();
  EXPECT_FALSE(feed_in_place_of(6, data(cell + "abc")));
  const std::string prefix = Bytes().tag('M').u8(0).u64(1).zero_ended("p").u32(0xfffffff0).text();
  EXPECT_FALSE(feed_in_place_of(5, data(prefix + "abc")));
  const std::string many = Bytes().tag('T').u32(0xffffffff).u8(0).u32(100).text();
  EXPECT_FALSE(feed_in_place_of(9, data(many)));
  Bytes columns;
  columns.tag('R').u32(1).zero_ended("s").zero_ended("t").tag('f').u16(0xffff);
  EXPECT_FALSE(feed_in_place_of(1, data(columns.text())));
}

// Mutations of a valid stream: flips, cuts, repeats, splices, swaps. The seed is in the failure's
// message; std::mt19937 gives the same numbers everywhere.
TEST(DecoderMalformed, survives_mutated_streams) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    std::vector<std::string> stream = every_message();
    for (std::size_t n = below(4) + 1; n > 0; --n) {
      std::string& victim = stream[below(stream.size())];
      switch (below(5)) {
        case 0:
          if (!victim.empty()) victim[below(victim.size())] = static_cast<char>(below(256));
          break;
        case 1:
          victim.resize(below(victim.size() + 1));
          break;
        case 2:
          victim += every_message()[below(stream.size())].substr(5);
          break;
        case 3:
          std::swap(victim, stream[below(stream.size())]);
          break;
        default:
          victim.insert(below(victim.size() + 1), below(9), static_cast<char>(below(256)));
      }
    }
    StreamDecoder decoder(below(2) == 0 ? 10 : 1000);
    bool refused = false;
    for (const std::string& payload : stream) {
      const auto event = decoder.feed(std::string(payload));
      EXPECT_FALSE(refused && event.ok()) << "an error is final";
      refused = !event.ok();
      if (event.ok() && *event) expect_valid(**event);
    }
  }
}

}  // namespace
}  // namespace holdfast::postgres
