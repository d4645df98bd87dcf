// A probe: one request beside those of clients, of all else that a server must answer at any
// moment, during restarts too (http-api.md §2, §5.4, §9.2, §14, §17, §18, §20, §21). Values; who
// sends it makes the request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

enum class ProbeKind : std::uint8_t {
  now,               ///< offset=now
  follow_now,        ///< from where an answer to offset=now ended
  head,              ///< HEAD of something that was served
  post,              ///< POST of something that was served, without a body
  not_modified,      ///< If-None-Match with the tag of something that was served
  middle,            ///< an offset between two that were served
  out_of_bounds,     ///< an offset that no server has reached
  unknown_handle,    ///< a handle that never was
  other_shape,       ///< the handle of another definition
  dead_handle,       ///< a handle that a 409 has ended
  dead_handle_live,  ///< the same, held if it could be
  expired_handle,    ///< from the start, naming the dead handle as such
  wrong_delete,      ///< DELETE of a definition with a handle that is not its own
  unknown_delete,    ///< DELETE of a handle that never was
  bad_parameters,    ///< a request that is refused by what it says alone
  preflight,         ///< OPTIONS
  health,
  unknown_route,
};
inline constexpr std::size_t k_probe_kinds = 18;

std::string_view name_of(ProbeKind kind);
/// All names, by value.
std::span<const std::string_view> names_of(ProbeKind);

/// A request for a shape's log, which makes the shape if there is none.
bool reads_a_shape(ProbeKind kind);

struct Probe {
  ProbeKind kind = ProbeKind::now;
  std::string prober;  ///< who sends it
  const ShapeSpec* spec = nullptr;
  protocol::Request request;
  /// The handle it names where a live one is wanted, or as dead.
  std::optional<protocol::ShapeHandle> handle = {};
  std::string tag = {};     ///< not_modified: with its quotes, as it was served
  std::string errors = {};  ///< bad_parameters: the JSON object of the answer
  /// follow_now: every later record must be above this.
  std::uint64_t claimed = 0;
  /// follow_now: what was committed when offset=now was answered. Every later change must come.
  std::uint64_t committed = 0;
};

}  // namespace holdfast::oracle
