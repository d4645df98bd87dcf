#include "scenarios/clients/prober.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "scenarios/actors.hpp"
#include "scenarios/clients/bad_requests.hpp"

namespace holdfast::scenarios {
namespace {

using oracle::Probe;
using oracle::ProbeKind;
using protocol::LogOffset;
using protocol::ShapeHandle;

/// While nobody can be reached a probe is sent again so often: restarts are what it is there for.
constexpr unsigned k_attempts = 4;
constexpr Duration k_attempt_delay = std::chrono::milliseconds(25);
/// Of handles that are no engine's: their first part is above 2^27 (http-api.md §7).
constexpr std::string_view k_nobodys = "999999999-";

void set(protocol::Request& request, std::string_view name, std::string value) {
  std::erase_if(request.query, [&](const auto& each) { return each.first == name; });
  request.query.emplace_back(name, std::move(value));
}

protocol::Request from_position(const oracle::ShapeSpec& spec, const ShapeHandle& handle,
                                const LogOffset& offset,
                                oracle::ClientPhase phase = oracle::ClientPhase::catching_up) {
  return oracle::next_request(spec, {.phase = phase, .handle = handle, .offset = offset});
}

/// An offset that is served, between the beginning and the end of a page or at one of them.
LogOffset between(const ServedPage& page, std::uint64_t pick) {
  const LogOffset to = page.to;
  if (!to.is_real()) return to;
  switch (pick % 4) {
    case 0:
      return LogOffset::at(to.tx - 1, LogOffset::k_infinite);
    case 1:
      return to.op > 0 ? LogOffset::at(to.tx, to.op - 1) : page.from;
    case 2:
      return LogOffset::at(to.tx, 0);
    default:
      return LogOffset::snapshot_end();
  }
}

/// Blanks, weak tags and lists of tags mean the same (http-api.md §9.2).
std::string as_condition(const std::string& tag, std::uint64_t pick) {
  switch (pick % 4) {
    case 0:
      return tag;
    case 1:
      return "W/" + tag;
    case 2:
      return "\"else\" , " + tag;
    default:
      return tag.substr(1, tag.size() - 2);
  }
}

}  // namespace

void ProberProcess::init() {
  cast<&ProberProcess::run>(runtime::Ref<ProberProcess>{self()});
}

void ProberProcess::run() {
  sleep(plan_.at);
  const std::optional<Probe> probe = make();
  const auto answer = probe ? send(*probe) : std::nullopt;
  if (answer && probe->kind == ProbeKind::now) follow(*answer);
  stage_.probes_pending--;
  exit(runtime::ExitReason::normal());
}

Probe ProberProcess::blank(protocol::Request request) const {
  Probe probe;
  probe.kind = plan_.kind;
  probe.prober = "p" + std::to_string(plan_.number);
  probe.spec = &stage_.plan->specs[plan_.spec];
  probe.request = std::move(request);
  return probe;
}

std::optional<Probe> ProberProcess::make() const {
  const oracle::ShapeSpec& spec = stage_.plan->specs[plan_.spec];
  Probe probe = blank(oracle::next_request(spec, {}));
  const ShapeHandle nobodys{std::string(k_nobodys) + std::to_string(plan_.pick % 1'000)};
  switch (plan_.kind) {
    case ProbeKind::now:
      set(probe.request, "offset", "now");
      return probe;
    case ProbeKind::follow_now:
    case ProbeKind::head:
    case ProbeKind::post:
    case ProbeKind::not_modified:
    case ProbeKind::middle:
    case ProbeKind::out_of_bounds:
    case ProbeKind::other_shape:
      return about_a_page();
    case ProbeKind::dead_handle:
    case ProbeKind::dead_handle_live:
    case ProbeKind::expired_handle:
      return about_a_dead_handle();
    case ProbeKind::unknown_handle:
      probe.handle = nobodys;
      probe.request = from_position(
          spec, nobodys, LogOffset::at(plan_.pick % 3, 0),
          plan_.pick % 2 == 0 ? oracle::ClientPhase::catching_up : oracle::ClientPhase::live);
      return probe;
    case ProbeKind::wrong_delete:
      probe.request.method = "DELETE";
      set(probe.request, "handle", nobodys.text);
      return probe;
    case ProbeKind::unknown_delete:
      probe.request.method = "DELETE";
      probe.request.query = {{"handle", nobodys.text}};
      return probe;
    case ProbeKind::bad_parameters:
      probe.errors = spoil(probe.request, plan_.pick);
      return probe;
    case ProbeKind::preflight:
      probe.request.method = "OPTIONS";
      probe.request.headers = {{"origin", "https://app.example"},
                               {"access-control-request-headers", "if-none-match"}};
      return probe;
    case ProbeKind::health:
      probe.request.path = "/v1/health";
      probe.request.query.clear();
      return probe;
    case ProbeKind::unknown_route:
      probe.request.method = plan_.pick % 2 == 0 ? "GET" : "PUT";
      if (plan_.pick % 2 == 0) probe.request.path = "/v1/shapes";
      break;
  }
  return probe;
}

std::optional<Probe> ProberProcess::about_a_page() const {
  const oracle::ShapeSpec& spec = stage_.plan->specs[plan_.spec];
  const bool other = plan_.kind == ProbeKind::other_shape;
  const std::size_t whose = other ? plan_.pick % stage_.plan->specs.size() : plan_.spec;
  if (other && whose == plan_.spec) return std::nullopt;
  const ServedPage* const page = stage_.notebook.page(stage_.plan->specs[whose], plan_.pick / 16);
  if (page == nullptr) return std::nullopt;
  const bool from_the_start = page->from == LogOffset::before_all();
  Probe probe = blank(from_the_start && !other ? oracle::next_request(spec, {})
                                               : from_position(spec, page->handle, page->from));
  probe.handle = page->handle;
  switch (plan_.kind) {
    case ProbeKind::head:
      probe.request.method = "HEAD";
      probe.request.headers = {
          {"x-request-id", "a-request-of-a-prober-" + std::to_string(plan_.number)}};
      break;
    case ProbeKind::post:
      probe.request.method = "POST";
      if (plan_.pick % 2 == 0) probe.request.body = "{}";
      break;
    case ProbeKind::not_modified:
      probe.tag = page->tag;
      probe.request.headers = {{"if-none-match", as_condition(page->tag, plan_.pick)}};
      break;
    case ProbeKind::out_of_bounds:
      probe.request = from_position(spec, page->handle, LogOffset::at(LogOffset::k_infinite, 0));
      break;
    case ProbeKind::other_shape:
      probe.request = from_position(spec, page->handle, page->to);
      break;
    default:
      probe.request = from_position(spec, page->handle, between(*page, plan_.pick));
  }
  return probe;
}

std::optional<Probe> ProberProcess::about_a_dead_handle() const {
  const oracle::ShapeSpec& spec = stage_.plan->specs[plan_.spec];
  const ServedPage* const page = stage_.notebook.dead_page(spec, plan_.pick);
  if (page == nullptr) return std::nullopt;
  Probe probe = blank({});
  probe.handle = page->handle;
  if (plan_.kind == ProbeKind::expired_handle)
    probe.request = oracle::next_request(spec, {.expired = page->handle});
  else
    probe.request =
        from_position(spec, page->handle, page->to,
                      plan_.kind == ProbeKind::dead_handle_live ? oracle::ClientPhase::live
                                                                : oracle::ClientPhase::catching_up);
  return probe;
}

std::optional<protocol::Response> ProberProcess::send(const Probe& probe) {
  std::optional<protocol::Response> answered;
  for (unsigned attempt = 0; attempt < k_attempts && !answered; ++attempt) {
    if (attempt > 0) sleep(k_attempt_delay);
    const Instant sent = now();
    stage_.oracle->asked(probe);
    Network::Answer answer =
        stage_.network->fetch(*this, probe.request, {oracle::Oracle::k_request_deadline});
    if (answer.overdue)
      stage_.oracle->object(oracle::property::request_ends, "no answer to a probe", probe.prober,
                            now());
    stage_.oracle->observe(probe, answer.response, {sent, now()});
    if (answer.response && stage_.note)
      stage_.note(probe.prober + " " + std::string(name_of(probe.kind)) + " of " +
                  probe.spec->name + ": " + std::to_string(answer.response->status) + " " +
                  answer.response->body);
    answered = std::move(answer.response);
  }
  stage_.probes.count(probe.kind, answered && answered->status != 503);
  return answered;
}

void ProberProcess::follow(const protocol::Response& answer) {
  const std::string* const handle = answer.header("electric-handle");
  const std::string* const text = answer.header("electric-offset");
  const auto offset = text == nullptr ? std::nullopt : LogOffset::parse(*text);
  const auto messages = oracle::parse_messages(answer.body);
  if (answer.status != 200 || handle == nullptr || !offset || !messages.ok() || messages->empty())
    return;  // the oracle has objected, or it is a 503
  const oracle::ShapeSpec& spec = stage_.plan->specs[plan_.spec];
  const std::uint64_t committed = stage_.postgres->insert_position().value;
  sleep(std::chrono::milliseconds(plan_.pick % 200));
  Probe probe = blank(from_position(spec, {*handle}, *offset));
  probe.kind = ProbeKind::follow_now;
  probe.handle = ShapeHandle{*handle};
  probe.claimed = messages->back().up_to;
  probe.committed = committed;
  send(probe);
}

}  // namespace holdfast::scenarios
