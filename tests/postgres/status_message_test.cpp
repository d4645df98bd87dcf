// What is confirmed to the server is exactly what was asked, in its own epoch (postgres.md §9.1,
// §9.4).
#include "core/postgres/status_message.hpp"

#include <gtest/gtest.h>

#include "tests/postgres/wire.hpp"

namespace holdfast::postgres {
namespace {

TEST(StatusMessage, carries_the_positions_unchanged) {
  const std::string expected = wire::Bytes()
                                   .tag('r')
                                   .u64(0xffffffff000000ff)
                                   .u64(0x7fffffff000000ff)
                                   .u64(0x7fffffff000000ff)
                                   .u64(1'000'000)
                                   .u8(0)
                                   .text();
  EXPECT_EQ(encode_status({0xffffffff000000ff}, {0x7fffffff000000ff}, {946'684'801'000'000}),
            expected);
}

TEST(StatusMessage, counts_time_before_2000_backwards) {
  const std::string bytes = encode_status({1}, {1}, {946'684'799'999'999});
  EXPECT_EQ(bytes.substr(25, 8), std::string(8, '\xff'));
}

}  // namespace
}  // namespace holdfast::postgres
