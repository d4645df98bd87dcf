// What the official TypeScript client asks next, as a table (http-api.md §26; the client's own
// state machine). Pure: a state and what came back give the next state.
//
//   state        request                                           on 200                on 409
//   initial      offset=-1 [handle] [expired_handle, cache-buster] catching_up           initial
//   catching_up  handle, offset                                    live at up-to-date    initial
//   live         handle, offset, live=true, [cursor]               live                  initial
//
// 409: the handle of the answer is used for the next offset=-1 request, with a cache-buster; the
// handle that was asked for has expired, which each later request says; rows are dropped. 5xx, 429
// and broken connections: the same request again, after a growing delay. Any other 4xx is fatal to
// the application.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

enum class ClientPhase { initial, catching_up, live };

struct ClientState {
  ClientPhase phase = ClientPhase::initial;
  std::optional<protocol::ShapeHandle> handle = {};
  protocol::LogOffset offset = protocol::LogOffset::before_all();
  std::string cursor = {};
  unsigned cache_buster = 0;                          ///< 0: none
  std::optional<protocol::ShapeHandle> expired = {};  ///< the last one that a 409 ended
  unsigned failures = 0;                              ///< in a row; what the delay grows with
};

/// What an answer means for the client.
enum class Verdict { progress, refetch, retry, fatal };

protocol::Request next_request(const ShapeSpec& spec, const ClientState& state);
/// nullopt stands for a connection that broke.
Verdict judge(const std::optional<protocol::Response>& response);
/// The state after an answer. REQUIRES: `verdict` is what judge() said of it.
ClientState next_state(const ClientState& state, Verdict verdict,
                       const std::optional<protocol::Response>& response);
/// How long to wait before the next request.
Duration delay_before(const ClientState& state);

}  // namespace holdfast::oracle
