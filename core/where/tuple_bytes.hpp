// A tuple of the stream as bytes, for input that is stored until its shape can take it.
#pragma once

#include "core/postgres/stream.hpp"
#include "core/where/byte_stream.hpp"

namespace holdfast::where {

inline void write_tuple(ByteWriter& out, const postgres::Tuple& tuple) {
  out.number(tuple.size());
  for (const auto& cell : tuple) {
    out.number(cell ? 1 : 0);
    if (cell) out.text(*cell);
  }
}

/// The cells view into the bytes that are read.
inline postgres::Tuple read_tuple(ByteReader& in) {
  postgres::Tuple tuple(in.count());
  for (auto& cell : tuple)
    if (in.number_up_to(1) == 1) cell = in.text();
  return tuple;
}

}  // namespace holdfast::where
