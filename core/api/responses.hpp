// Successful answers on the shape route as values: headers, body and what "up to date" means
// (http-api.md §8, §9, §13.4, §13.5, §14, §15). Pure functions; time and chance come in as values.
// The headers that every answer has, successful or not, are front_door.hpp's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/api_options.hpp"
#include "core/api/parameters.hpp"
#include "core/base/time.hpp"
#include "core/postgres/lsn.hpp"
#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"

namespace holdfast::api {

/// A shape as a request saw it. Order of reading (§13.5): `global_lsn` before `head`, `head` before
/// the range; otherwise an answer may claim more than it holds.
struct ShapeView {
  protocol::ShapeHandle handle;
  std::string schema_header;                ///< shape::Definition::schema_header()
  protocol::LogOffset head;                 ///< 0_inf or a real offset
  std::optional<postgres::Lsn> global_lsn;  ///< none: just restarted, or a standby
};

/// The items of (requested offset, end], joined by commas (storage::Slice).
struct Range {
  protocol::LogOffset end;
  std::string_view items;  ///< borrowed until the call returns
};

/// What an answer needs of the world, drawn by the caller.
struct ReplyDraws {
  WallTime now;
  std::uint64_t random = 0;  ///< for the cursor's jump
  std::uint64_t unique = 0;  ///< a number no earlier empty reply used, also across restarts
};

/// §13.5: the range reaches the head, and the request was not for `-1`.
bool is_up_to_date(const ShapeParameters& parameters, const protocol::LogOffset& head,
                   const protocol::LogOffset& end);

/// {"headers":{"control":"up-to-date","global_last_seen_lsn":"<lsn>"}}
std::string up_to_date_message(postgres::Lsn lsn);

/// 200 with the items of a range, live or not. REQUIRES: parameters are not `now`.
protocol::Response range_response(const ShapeParameters& parameters, const ShapeView& shape,
                                  const Range& range, const ApiOptions& options,
                                  const ReplyDraws& draws);

/// 304 if the request already holds what range_response would say; asked after the handle was
/// resolved and before anything is read or held (§9.2). `now` is never revalidated.
std::optional<protocol::Response> not_modified(const ShapeParameters& parameters,
                                               const ShapeView& shape,
                                               const protocol::LogOffset& end,
                                               const ApiOptions& options, const ReplyDraws& draws);

/// A long poll timed out at the head (§15). REQUIRES: a live request.
protocol::Response empty_live_response(const ShapeParameters& parameters, const ShapeView& shape,
                                       const ApiOptions& options, const ReplyDraws& draws);

/// `offset=now` (§14). REQUIRES: parameters.is_now().
protocol::Response now_response(const ShapeParameters& parameters, const ShapeView& shape,
                                const ApiOptions& options, const ReplyDraws& draws);

/// 202: the shape's removal is on its way (§20).
protocol::Response deletion_accepted();

}  // namespace holdfast::api
