#include <algorithm>
#include <utility>

#include "sim/postgres/sessions.hpp"
#include "sim/postgres/stream/pgoutput.hpp"

namespace holdfast::sim::postgres {
namespace {

using env::DatabaseError;
using env::DatabaseFailure;

constexpr std::size_t k_messages_per_receive = 500;
constexpr Duration k_flood_interval = std::chrono::milliseconds(2);

Failure<DatabaseError> error(DatabaseFailure kind, std::string sqlstate, std::string message) {
  return {DatabaseError{kind, std::move(sqlstate), std::move(message)}};
}

}  // namespace

env::DatabaseResult<env::SystemIdentity> ModelReplicationSession::identify_system() {
  if (auto trip = client_.round_trip("pg.identify"); !trip) return trip.failure();
  return state_.identity;
}

env::DatabaseResult<env::ServerSettings> ModelReplicationSession::settings() {
  if (auto trip = client_.round_trip("pg.settings"); !trip) return trip.failure();
  return env::ServerSettings{state_.options.version_number, state_.options.wal_sender_timeout};
}

env::DatabaseResult<void> ModelReplicationSession::acquire_lock(const std::string& name) {
  if (auto trip = client_.round_trip("pg.lock.request"); !trip) return trip;
  Backend* self = &client_.backend();
  if (state_.advisory_locks[name].holder == self) return {};
  state_.advisory_locks[name].waiting.push_back(self);
  state_.grant_next(state_.advisory_locks[name]);
  const auto held = client_.wait_until(state_.lock_waiters, "pg.lock.wait", Instant::never(),
                                       [&] { return state_.advisory_locks[name].holder == self; });
  if (!held) return held.failure();
  return client_.round_trip("pg.lock.granted");
}

env::DatabaseResult<bool> ModelReplicationSession::ensure_publication(
    const std::string& publication) {
  if (auto trip = client_.round_trip("pg.publication"); !trip) return trip.failure();
  if (state_.publications.contains(publication)) return false;
  uncommitted_publication_ = publication;
  if (auto trip = client_.round_trip("pg.publication.created"); !trip) return trip.failure();
  return true;
}

env::DatabaseResult<void> ModelReplicationSession::drop_slot(const std::string& name) {
  if (auto trip = client_.round_trip("pg.drop_slot"); !trip) return trip.failure();
  return erase_slot(name);
}

env::DatabaseResult<void> ModelReplicationSession::erase_slot(const std::string& name) {
  const auto found = state_.slots.find(name);
  if (found == state_.slots.end()) return {};
  if (found->second.active != nullptr)
    return error(DatabaseFailure::slot_active, "55006",
                 "replication slot \"" + name + "\" is active");
  state_.slots.erase(found);
  return {};
}

env::DatabaseResult<env::SlotState> ModelReplicationSession::ensure_slot(const std::string& name) {
  if (auto trip = client_.round_trip("pg.slot"); !trip) return trip.failure();
  const auto publication = std::exchange(uncommitted_publication_, std::nullopt);
  const auto found = state_.slots.find(name);
  if (found != state_.slots.end() && publication) {
    // A slot older than its publication would decode WAL that knows no such publication, so the
    // publication is committed once the slot is gone.
    if (auto erased = erase_slot(name); !erased) return erased.failure();
  } else if (found != state_.slots.end() && found->second.invalidated) {
    // Whoever is told so begins again, and makes another one.
    state_.slots.erase(found);
    return error(DatabaseFailure::slot_invalidated, "55000",
                 "replication slot \"" + name + "\" was invalidated");
  } else if (found != state_.slots.end()) {
    return env::SlotState{false, found->second.confirmed_flush};
  }
  if (publication) state_.make_publication(*publication);
  const auto position = create_slot(name);
  if (!position) return position.failure();
  if (auto trip = client_.round_trip("pg.slot.created"); !trip) return trip.failure();
  return env::SlotState{true, *position};
}

env::DatabaseResult<Lsn> ModelReplicationSession::create_slot(const std::string& name) {
  struct Making {
    Backend& backend;
    explicit Making(Backend& by) : backend(by) { backend.makes_slot = true; }
    ~Making() { backend.makes_slot = false; }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
  } making(client_.backend());
  // Two rounds of waiting for whoever is running: only then is every later transaction whole.
  for (int round = 0; round < 2; ++round) {
    std::vector<std::uint64_t> running;
    for (const Transaction* transaction : state_.transactions.running())
      running.push_back(transaction->ordinal);
    const auto done =
        client_.wait_until(state_.lock_waiters, "pg.slot.wait", Instant::never(), [&] {
          const auto now_running = state_.transactions.running();
          return std::none_of(now_running.begin(), now_running.end(), [&](const Transaction* one) {
            return std::find(running.begin(), running.end(), one->ordinal) != running.end();
          });
        });
    if (!done) return done.failure();
  }
  if (state_.slots.count(name) != 0)
    return error(DatabaseFailure::query, "42710",
                 "replication slot \"" + name + "\" already exists");
  return state_.make_slot(name);
}

env::DatabaseResult<void> ModelReplicationSession::start_streaming(const std::string& slot_name,
                                                                   const std::string& publication) {
  if (auto trip = client_.round_trip("pg.start_streaming"); !trip) return trip;
  const auto found = state_.slots.find(slot_name);
  if (found == state_.slots.end())
    return error(DatabaseFailure::slot_invalidated, "42704",
                 "replication slot \"" + slot_name + "\" does not exist");
  Slot& slot = found->second;
  if (slot.active != nullptr)
    return error(DatabaseFailure::slot_active, "55006",
                 "replication slot \"" + slot_name + "\" is active for PID " +
                     std::to_string(slot.active->pid));
  if (slot.invalidated)
    return error(DatabaseFailure::slot_invalidated, "55000",
                 "cannot read from logical replication slot \"" + slot_name + "\"");
  if (state_.publications.count(publication) == 0)
    return error(DatabaseFailure::no_publication, "42704",
                 "publication \"" + publication + "\" does not exist");
  Backend& backend = client_.backend();
  slot.active = &backend;
  backend.slot = slot_name;
  publication_ = publication;
  backend.walsender = std::make_unique<Walsender>(state_.wal, publication, slot.confirmed_flush);
  backend.client_flushed = slot.confirmed_flush;
  backend.last_reply = state_.now();
  return {};
}

std::vector<std::string> ModelReplicationSession::take_messages() {
  Backend& backend = client_.backend();
  std::size_t most = k_messages_per_receive;
  if (state_.chance(backend, "pg.receive.ragged", state_.options.ragged_receive_percent))
    most = 1 + state_.draw(backend, "pg.receive.count") % 7;
  std::vector<std::string> messages;
  while (messages.size() < most) {
    auto& outgoing = backend.walsender->outgoing();
    if (outgoing.empty()) {
      const bool some = state_.chance(backend, "pg.receive.mid_keepalive",
                                      state_.options.mid_transaction_keepalive_percent);
      backend.walsender->decode(state_.clock_us(), some ? Walsender::MidKeepalives::some
                                                        : Walsender::MidKeepalives::none);
    }
    if (outgoing.empty()) break;
    messages.push_back(std::move(outgoing.front()));
    outgoing.pop_front();
  }
  return messages;
}

std::optional<std::string> ModelReplicationSession::take_keepalive() {
  Backend& backend = client_.backend();
  const Lsn sent = backend.walsender->sent();
  if (state_.floods(backend)) {
    backend.next_flood = state_.now() + k_flood_interval;
    ++state_.trouble.flooded;
    return make_keepalive(sent, state_.clock_us(), Reply::requested);
  }
  const bool behind = backend.client_flushed < sent && backend.last_keepalive != sent;
  const Duration silent = state_.now() - backend.last_reply;
  const bool ping = state_.options.wal_sender_timeout.count() > 0 && !backend.ping_pending &&
                    silent >= state_.options.wal_sender_timeout / 2;
  if (!behind && !ping) return std::nullopt;
  const bool asks =
      ping || state_.chance(backend, "pg.keepalive.reply", state_.options.reply_requested_percent);
  backend.last_keepalive = sent;
  if (ping) backend.ping_pending = true;
  return make_keepalive(sent, state_.clock_us(), asks ? Reply::requested : Reply::not_needed);
}

bool ModelReplicationSession::decoding_failed() {
  const auto& walsender = client_.backend().walsender;
  return walsender != nullptr && walsender->failed();
}

env::DatabaseResult<std::vector<std::string>> ModelReplicationSession::receive(Instant deadline) {
  if (auto step = client_.step("pg.receive"); !step) return step.failure();
  ASSERT(client_.is_deaf() || client_.backend().walsender != nullptr,
         "receive() follows start_streaming()");
  std::vector<std::string> messages;
  const auto ready = client_.wait_until(state_.stream_waiters, "pg.receive.wait", deadline, [&] {
    messages = take_messages();
    if (!messages.empty() || decoding_failed()) return true;
    if (auto keepalive = take_keepalive()) messages.push_back(std::move(*keepalive));
    return !messages.empty();
  });
  if (!ready) return ready.failure();
  if (messages.empty() && decoding_failed()) {
    const std::string reason = "publication \"" + publication_ + "\" does not exist";
    state_.close(client_.backend(), reason);
    return error(DatabaseFailure::no_publication, "42704", reason);
  }
  return messages;
}

env::DatabaseResult<void> ModelReplicationSession::send_status(Lsn, Lsn flushed) {
  if (auto step = client_.step("pg.send_status"); !step) return step;
  if (client_.is_deaf()) return {};
  Backend& backend = client_.backend();
  ASSERT(backend.walsender != nullptr, "send_status() follows start_streaming()");
  backend.last_reply = state_.now();
  backend.ping_pending = false;
  if (flushed.value == 0) return {};
  backend.client_flushed = flushed;
  const auto slot = state_.slots.find(backend.slot);
  if (slot != state_.slots.end()) slot->second.confirmed_flush = flushed;
  state_.end_walsender_if_done(backend);
  return {};
}

}  // namespace holdfast::sim::postgres
