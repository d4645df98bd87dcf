#include "scenarios/faults/server_faults.hpp"

#include <algorithm>
#include <array>

#include "core/stack/context.hpp"
#include "sim/postgres/trouble.hpp"

namespace holdfast::scenarios {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration k_look = milliseconds(20);
/// Whoever shuts a server down loses patience then (pg_ctl waits for 60 s).
constexpr Duration k_shutdown_patience = seconds(60);
/// Of a client's time-outs (TCP keepalives, TCP_USER_TIMEOUT): short, middling, the defaults.
constexpr std::array<Duration, 3> k_found_after = {seconds(2), seconds(15), seconds(60)};
constexpr std::array<Duration, 3> k_down = {Duration{0}, milliseconds(200), seconds(2)};
/// After a walsender's own time-out, the lock of a dead client's session is free again.
constexpr Duration k_dead_session_felt = seconds(90);

std::string slot_name() {
  return stack::StackOptions{}.slot;
}

}  // namespace

void ServerFaults::after(Duration delay, std::function<void()> step) {
  executor_.after(delay, "/world/faults", "fault.server", std::move(step));
}

void ServerFaults::fall_silent(std::uint64_t pick) {
  counters_.count(FaultKind::postgres_silent, postgres_.connected_backends() > 0);
  postgres_.fall_silent(k_found_after[pick % k_found_after.size()]);
  oracle_.expiry_order().disturbed(executor_.now() + k_dead_session_felt);
}

void ServerFaults::half_open() {
  counters_.count(FaultKind::postgres_half_open, postgres_.connected_backends() > 0);
  postgres_.disconnect_all(sim::postgres::HalfOpen::yes);
  oracle_.expiry_order().disturbed(executor_.now() + k_dead_session_felt);
}

// -- an orderly shutdown --------------------------------------------------------------------------

void ServerFaults::shut_down(std::uint64_t pick) {
  if (down_) return counters_.count(FaultKind::postgres_shutdown, false);
  down_ = true;
  const auto slot = postgres_.slot(slot_name());
  const bool streamed = slot && slot->active_pid;
  counters_.count(FaultKind::postgres_shutdown, false);
  oracle_.expiry_order().disturbance_begins();
  postgres_.begin_shutdown();
  look_for_the_end(executor_.now(), k_down[pick % k_down.size()], streamed);
}

void ServerFaults::look_for_the_end(Instant begun, Duration down, bool streamed) {
  if (!down_) return;  // healed
  const bool ended = postgres_.has_shut_down();
  if (ended && streamed) counters_.had_effect(FaultKind::postgres_shutdown);
  if (ended || executor_.now() - begun >= k_shutdown_patience)
    return after(down, [this] { start_again(); });
  after(k_look, [this, begun, down, streamed] { look_for_the_end(begun, down, streamed); });
}

void ServerFaults::start_again() {
  if (!down_) return;
  down_ = false;
  postgres_.start_again();
  oracle_.expiry_order().disturbance_ends(executor_.now() + seconds(12));
}

// -- slots ----------------------------------------------------------------------------------------

void ServerFaults::take_slot_back() {
  const auto before = postgres_.slot(slot_name());
  // What it had confirmed is on disk, so that nothing but the position is lost.
  postgres_.flush_wal();
  postgres_.crash_and_restart();
  const auto after_it = postgres_.slot(slot_name());
  counters_.count(FaultKind::slot_back,
                  before && after_it && after_it->confirmed_flush < before->confirmed_flush);
}

void ServerFaults::fail_over(std::uint64_t pick) {
  using Slots = sim::postgres::PostgresModel::StandbySlots;
  counters_.count(FaultKind::timeline_change, postgres_.slot(slot_name()).has_value());
  const std::size_t cause =
      oracle_.record({oracle::Cause::slot_recreated, slot_name(), executor_.now()});
  postgres_.promote_standby(pick % 2 == 0 ? Slots::missing : Slots::behind);
  look_for_a_stream(cause);
}

/// Who streams has seen the new timeline, and what had to end for it has ended.
void ServerFaults::look_for_a_stream(std::size_t cause) {
  const auto slot = postgres_.slot(slot_name());
  if (slot && slot->active_pid) return oracle_.over(cause, executor_.now());
  after(k_look, [this, cause] { look_for_a_stream(cause); });
}

// -- for a while ----------------------------------------------------------------------------------

void ServerFaults::flood(std::uint64_t pick) {
  const Duration length = milliseconds(300 + pick % 1'700);
  const std::uint64_t before = postgres_.trouble().flooded;
  postgres_.flood_keepalives(executor_.now() + length);
  counters_.count(FaultKind::keepalive_flood, false);
  after(length, [this, before] {
    if (postgres_.trouble().flooded > before) counters_.had_effect(FaultKind::keepalive_flood);
  });
}

void ServerFaults::slow_down(std::uint64_t pick) {
  const Duration length = milliseconds(500 + pick % 5'500);
  const std::uint64_t before = postgres_.trouble().slowed;
  postgres_.slow_queries(executor_.now() + length);
  counters_.count(FaultKind::slow_queries, false);
  oracle_.expiry_order().disturbed(executor_.now() + length + seconds(12));
  after(length, [this, before] {
    if (postgres_.trouble().slowed > before) counters_.had_effect(FaultKind::slow_queries);
  });
}

void ServerFaults::heal() {
  start_again();
  postgres_.flood_keepalives({});
  postgres_.slow_queries({});
}

}  // namespace holdfast::scenarios
