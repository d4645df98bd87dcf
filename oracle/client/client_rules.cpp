#include "oracle/client/client_rules.hpp"

#include <algorithm>

namespace holdfast::oracle {
namespace {

constexpr Duration k_backoff_min = std::chrono::milliseconds(100);
constexpr unsigned k_backoff_doublings = 5;

std::string joined(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) {
    if (!text.empty()) text.push_back(',');
    text.append(column);
  }
  return text;
}

void take_position(ClientState& state, const protocol::Response& response) {
  if (const std::string* handle = response.header("electric-handle"))
    state.handle = protocol::ShapeHandle{*handle};
  if (const std::string* offset = response.header("electric-offset"))
    state.offset = protocol::LogOffset::parse(*offset).value_or(state.offset);
  if (const std::string* cursor = response.header("electric-cursor")) state.cursor = *cursor;
  state.phase = response.header("electric-up-to-date") != nullptr ? ClientPhase::live
                                                                  : ClientPhase::catching_up;
}

}  // namespace

protocol::Request next_request(const ShapeSpec& spec, const ClientState& state) {
  protocol::Request request;
  request.method = "GET";
  request.path = "/v1/shape";
  constexpr std::size_t k_most_parameters = 10;
  request.query.reserve(k_most_parameters);
  request.query.emplace_back("table", spec.table);
  if (!spec.where.empty()) request.query.emplace_back("where", spec.where);
  if (!spec.columns.empty()) request.query.emplace_back("columns", joined(spec.columns));
  if (spec.replica == ReplicaMode::full) request.query.emplace_back("replica", "full");
  request.query.emplace_back("offset", state.offset.to_string());
  if (state.handle) request.query.emplace_back("handle", state.handle->text);
  if (state.phase == ClientPhase::live) {
    request.query.emplace_back("live", "true");
    if (!state.cursor.empty()) request.query.emplace_back("cursor", state.cursor);
  }
  if (state.cache_buster > 0)
    request.query.emplace_back("cache-buster", std::to_string(state.cache_buster));
  if (state.expired) request.query.emplace_back("expired_handle", state.expired->text);
  return request;
}

Verdict judge(const std::optional<protocol::Response>& response) {
  if (!response || response->status >= 500 || response->status == 429) return Verdict::retry;
  if (response->status == 409) return Verdict::refetch;
  return response->status == 200 ? Verdict::progress : Verdict::fatal;
}

ClientState next_state(const ClientState& state, Verdict verdict,
                       const std::optional<protocol::Response>& response) {
  ClientState next = state;
  switch (verdict) {
    case Verdict::fatal:
      break;
    case Verdict::retry:
      next.failures++;
      break;
    case Verdict::refetch:
      next = ClientState{.cache_buster = state.cache_buster + 1,
                         .expired = state.handle ? state.handle : state.expired};
      if (const std::string* handle = response->header("electric-handle"))
        next.handle = protocol::ShapeHandle{*handle};
      break;
    case Verdict::progress:
      next.failures = 0;
      next.cache_buster = 0;
      take_position(next, *response);
      break;
  }
  return next;
}

Duration delay_before(const ClientState& state) {
  if (state.failures == 0) return Duration{0};
  return k_backoff_min * (1 << std::min(state.failures - 1, k_backoff_doublings));
}

}  // namespace holdfast::oracle
