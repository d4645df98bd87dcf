#include "sim/mutants/broken_database.hpp"

#include <algorithm>
#include <string_view>

namespace holdfast::sim::mutants {
namespace {

using env::DatabaseResult;
using postgres::Lsn;
using postgres::RelationName;

/// A payload of CopyData: 'w', three numbers of 8 bytes, then one message of pgoutput.
constexpr std::size_t k_header_bytes = 25;

std::string_view message_of(const std::string& payload) {
  if (payload.size() <= k_header_bytes || payload.front() != 'w') return {};
  return std::string_view(payload).substr(k_header_bytes);
}

Lsn position_at(std::string_view message, std::size_t offset) {
  std::uint64_t value = 0;
  for (const char byte : message.substr(offset, 8))
    value = (value << 8) | static_cast<unsigned char>(byte);
  return {value};
}

/// 'B': the commit position of the transaction that begins. 'C': the end of the one that ends.
Lsn position_of(std::string_view message) {
  return position_at(message, message.front() == 'B' ? 1 : 10);
}

/// 'k': the end of the log, which this replaces, a time, and whether an answer is due.
void state_position(std::string& keepalive, Lsn position) {
  for (std::size_t i = 0; i < 8; ++i)
    keepalive[1 + i] = static_cast<char>(position.value >> (8 * (7 - i)));
}

bool is_change(std::string_view message) {
  return std::string_view("IUDT").find(message.front()) != std::string_view::npos;
}

class BrokenReplication final : public env::ReplicationSession {
 public:
  BrokenReplication(const MutantSet& set, std::shared_ptr<SessionsOfInstance> shared,
                    std::unique_ptr<env::ReplicationSession> inner)
      : set_(set),
        shared_(std::move(shared)),
        inner_(std::move(inner)),
        former_(shared_->last_of_former) {}

  DatabaseResult<env::SystemIdentity> identify_system() override {
    return inner_->identify_system();
  }
  DatabaseResult<env::ServerSettings> settings() override { return inner_->settings(); }
  DatabaseResult<void> acquire_lock(const std::string& name) override {
    return inner_->acquire_lock(name);
  }
  DatabaseResult<bool> ensure_publication(const std::string& publication) override {
    return inner_->ensure_publication(publication);
  }
  DatabaseResult<void> drop_slot(const std::string& slot) override {
    return inner_->drop_slot(slot);
  }
  DatabaseResult<env::SlotState> ensure_slot(const std::string& slot) override {
    return inner_->ensure_slot(slot);
  }
  DatabaseResult<void> start_streaming(const std::string& slot,
                                       const std::string& publication) override {
    return inner_->start_streaming(slot, publication);
  }
  DatabaseResult<std::vector<std::string>> receive(Instant deadline) override;
  DatabaseResult<void> send_status(Lsn received, Lsn flushed) override {
    if (set_.on(Mutant::status_withheld)) return {};
    return inner_->send_status(received, set_.on(Mutant::confirms_received) ? received : flushed);
  }

 private:
  MutantSet set_;
  std::shared_ptr<SessionsOfInstance> shared_;
  std::unique_ptr<env::ReplicationSession> inner_;
  Lsn former_;          ///< what earlier sessions had received when this one began
  bool known_ = false;  ///< the transaction under way is one of those
};

DatabaseResult<std::vector<std::string>> BrokenReplication::receive(Instant deadline) {
  auto payloads = inner_->receive(deadline);
  if (!payloads.ok()) return payloads;
  std::vector<std::string> kept;
  for (std::string& payload : *payloads) {
    const std::string_view message = message_of(payload);
    if (!message.empty() && message.front() == 'B') {
      known_ = position_of(message) <= former_;
      shared_->last_of_former = std::max(shared_->last_of_former, position_of(message));
    }
    if (!message.empty() && message.front() == 'C')
      shared_->received = std::max(shared_->received, position_of(message));
    if (set_.on(Mutant::position_of_transactions) && payload.front() == 'k')
      state_position(payload, shared_->received);
    const bool dropped =
        set_.on(Mutant::no_replay) && known_ && !message.empty() && is_change(message);
    if (!dropped) kept.push_back(std::move(payload));
  }
  return kept;
}

class BrokenSnapshot final : public env::SnapshotRead {
 public:
  BrokenSnapshot(const MutantSet& set, std::shared_ptr<SessionsOfInstance> shared,
                 std::unique_ptr<env::SnapshotRead> inner,
                 std::unique_ptr<env::QuerySession> publisher)
      : shared_(std::move(shared)),
        inner_(std::move(inner)),
        publisher_(std::move(publisher)),
        snapshot_(inner_->snapshot()) {
    if (set.on(Mutant::xip_without_epoch))
      for (postgres::FullXid& xid : snapshot_.xip) xid.value = xid.truncated().value;
    if (set.on(Mutant::snapshot_position_of_stream))
      snapshot_.insert_lsn = std::min(snapshot_.insert_lsn, shared_->received);
  }

  const postgres::Snapshot& snapshot() const override { return snapshot_; }
  const postgres::RelationInfo& relation() const override { return inner_->relation(); }
  DatabaseResult<void> start(const env::ShapeQuery& query) override { return inner_->start(query); }
  DatabaseResult<postgres::RowBatch> next() override { return inner_->next(); }
  DatabaseResult<void> outlast_crashes() override {
    auto outlasted = inner_->outlast_crashes();
    for (const auto& [publication, table] : shared_->to_publish) {
      auto published = publisher_->publish(publication, table);
      if (!published.ok()) return published.failure();
    }
    shared_->to_publish.clear();
    return outlasted;
  }

 private:
  std::shared_ptr<SessionsOfInstance> shared_;
  std::unique_ptr<env::SnapshotRead> inner_;
  std::unique_ptr<env::QuerySession> publisher_;  ///< null where nothing is published later
  postgres::Snapshot snapshot_;
};

class BrokenQueries final : public env::QuerySession {
 public:
  BrokenQueries(const MutantSet& set, std::shared_ptr<SessionsOfInstance> shared,
                env::Database& database, std::unique_ptr<env::QuerySession> inner)
      : set_(set), shared_(std::move(shared)), database_(database), inner_(std::move(inner)) {}

  DatabaseResult<std::optional<postgres::RelationInfo>> inspect(const RelationName& name) override {
    auto found = inner_->inspect(name);
    if (!found.ok() && set_.on(Mutant::failed_look_finds_nothing))
      return std::optional<postgres::RelationInfo>();
    return found;
  }
  DatabaseResult<env::PublishOutcome> publish(const std::string& publication,
                                              const RelationName& table) override {
    if (!set_.on(Mutant::publication_later)) return inner_->publish(publication, table);
    shared_->to_publish.emplace_back(publication, table);
    return env::PublishOutcome::published;
  }
  DatabaseResult<void> unpublish(const std::string& publication, const env::PublishedTable& table,
                                 const std::string& slot) override {
    return inner_->unpublish(publication, table, slot);
  }
  DatabaseResult<env::PublicationState> verify_published(const std::string& publication,
                                                         const RelationName& table) override {
    return inner_->verify_published(publication, table);
  }
  DatabaseResult<std::vector<env::PublishedTable>> published(
      const std::string& publication) override {
    return inner_->published(publication);
  }
  DatabaseResult<std::unique_ptr<env::SnapshotRead>> begin_snapshot(
      const RelationName& table) override {
    auto begun = inner_->begin_snapshot(table);
    if (!begun.ok()) return begun;
    std::unique_ptr<env::QuerySession> publisher;
    if (!shared_->to_publish.empty()) {
      auto connected = database_.connect();
      if (!connected.ok()) return connected.failure();
      publisher = std::move(*connected);
    }
    return std::unique_ptr<env::SnapshotRead>(
        std::make_unique<BrokenSnapshot>(set_, shared_, std::move(*begun), std::move(publisher)));
  }
  DatabaseResult<postgres::Snapshot> current_snapshot() override {
    return inner_->current_snapshot();
  }
  DatabaseResult<unsigned> break_lock(const std::string& slot) override {
    return set_.on(Mutant::lock_left_alone) ? DatabaseResult<unsigned>(0U)
                                            : inner_->break_lock(slot);
  }

 private:
  MutantSet set_;
  std::shared_ptr<SessionsOfInstance> shared_;
  env::Database& database_;
  std::unique_ptr<env::QuerySession> inner_;
};

}  // namespace

DatabaseResult<std::unique_ptr<env::ReplicationSession>> BrokenDatabase::connect_replication() {
  auto connected = inner_.connect_replication();
  if (!connected.ok()) return connected;
  return std::unique_ptr<env::ReplicationSession>(
      std::make_unique<BrokenReplication>(set_, shared_, std::move(*connected)));
}

DatabaseResult<std::unique_ptr<env::QuerySession>> BrokenDatabase::connect() {
  auto connected = inner_.connect();
  if (!connected.ok()) return connected;
  return std::unique_ptr<env::QuerySession>(
      std::make_unique<BrokenQueries>(set_, shared_, inner_, std::move(*connected)));
}

}  // namespace holdfast::sim::mutants
