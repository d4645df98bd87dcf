// float4 and float8 as Postgres reads and prints them (extra_float_digits = 1: the shortest text
// that reads back as the same number). Pure functions of the model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::sim::postgres {

enum class FloatStatus : std::uint8_t { ok, bad_syntax, out_of_range };

struct FloatRead {
  FloatStatus status = FloatStatus::ok;
  double value = 0;
};

FloatRead read_float4(std::string_view text);
FloatRead read_float8(std::string_view text);
std::string print_float4(double value);
std::string print_float8(double value);

}  // namespace holdfast::sim::postgres
