// Opening, transactions, and the catalogue's writes.
#include "core/storage/durable_store.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/maintenance_jobs.hpp"
#include "core/storage/store_directory.hpp"

namespace holdfast::storage {
namespace {

constexpr std::size_t k_store_cache_bytes = 16 << 20;

}  // namespace

StoreResult<std::unique_ptr<Store>> open_store(env::Disk& disk, const StoreOptions& options) {
  return DurableStore::open(disk, options);
}

StoreResult<std::unique_ptr<Store>> DurableStore::open(env::Disk& disk,
                                                       const StoreOptions& options) {
  auto directories = prepare_directory(disk, options.directory);
  if (!directories) return directories.failure();
  auto connection =
      Connection::open(database_path(options.directory), disk.sqlite_vfs(), ConnectionRole::writer);
  if (!connection) return connection.failure();
  auto schema = create_schema(**connection);
  if (!schema) return schema.failure();
  return std::unique_ptr<Store>(new DurableStore(disk, options, std::move(*connection)));
}

DurableStore::DurableStore(env::Disk& disk, StoreOptions options,
                           std::unique_ptr<Connection> connection)
    : disk_(disk),
      options_(std::move(options)),
      connection_(std::move(connection)),
      state_reader_(*connection_),
      catalogue_(*connection_),
      journal_(*connection_, k_store_cache_bytes),
      segments_(disk, segment_directory(options_.directory)) {}

DurableStore::~DurableStore() = default;

StoreResult<void> DurableStore::usable() const {
  if (poisoned_)
    return Failure{StoreError{
        StoreFailure::unknown_outcome,
        connection_->path() + ": an earlier commit failed; the store must be opened again"}};
  ASSERT(taken_over_, "a store is written to only after take_over()");
  return {};
}

StoreResult<void> DurableStore::begin() {
  if (!connection_->run(begin_)) return Failure{failed("cannot begin")};
  std::uint64_t epoch = 0;
  {
    Query rows = connection_->query(select_epoch_);
    if (rows.next()) epoch = rows.number(0);
    if (rows.failed()) return Failure{roll_back(failed("cannot read the epoch"))};
  }
  if (epoch == state_.epoch) return {};
  return Failure{roll_back(
      {StoreFailure::fenced, connection_->path() + ": storage epoch is " + std::to_string(epoch) +
                                 ", this instance holds " + std::to_string(state_.epoch)})};
}

StoreResult<void> DurableStore::finish() {
  // Durability point: SQLite syncs the WAL before COMMIT returns. A failure here may be of a
  // transaction that recovery will find whole.
  if (connection_->run(commit_)) return {};
  StoreError error = failed("commit failed, its outcome is unknown");
  error.kind = StoreFailure::unknown_outcome;
  poisoned_ = true;
  return Failure{roll_back(std::move(error))};
}

StoreError DurableStore::roll_back(StoreError error) {
  // SQLite itself rolls back after some errors. A rollback that fails leaves a connection in which
  // nothing can be trusted.
  if (connection_->in_transaction() && !connection_->run(rollback_)) poisoned_ = true;
  return error;
}

StoreError DurableStore::failed(std::string_view what) {
  return connection_->failure(what);
}

LiveShape* DurableStore::find_live(const protocol::ShapeHandle& handle) {
  const auto counter = handle_counter(handle.text);
  if (!counter || *counter < state_.handle_base) return nullptr;
  const auto found = shapes_.find(*counter - state_.handle_base);
  if (found == shapes_.end() || found->second.handle != handle.text) return nullptr;
  return &found->second;
}

void DurableStore::add_live(LiveShape shape) {
  const std::uint64_t id = shape.id;
  by_identity_.emplace(shape.identity, id);
  index_->add_shape(id);
  shapes_.emplace(id, std::move(shape));
}

void DurableStore::drop_live(const LiveShape& shape) {
  const std::uint64_t id = shape.id;
  by_identity_.erase(shape.identity);
  invisible_.erase(id);
  if (invisible_.empty()) first_invisible_row_ = 0;
  index_->drop_shape(id);
  shapes_.erase(id);
}

SegmentId DurableStore::next_segment_id() {
  ++segment_counter_;
  ASSERT(segment_counter_ < (1ULL << k_segment_counter_bits),
         "an epoch names fewer than 2^24 segments");
  return {(state_.epoch << k_segment_counter_bits) | segment_counter_};
}

StoreResult<std::unique_ptr<SnapshotWriter>> DurableStore::write_snapshot(
    const protocol::ShapeHandle& handle) {
  auto ready = usable();
  if (!ready) return ready.failure();
  if (find_live(handle) == nullptr)
    return Failure{StoreError{StoreFailure::not_found, "no live shape has handle " + handle.text}};
  auto file = SegmentFileWriter::create(disk_, segment_directory(options_.directory),
                                        next_segment_id(), SegmentKind::snapshot);
  if (!file) return file.failure();
  return make_snapshot_writer(std::move(*file));
}

StoreResult<void> DurableStore::finish_removal(const protocol::ShapeHandle& handle) {
  auto ready = usable();
  if (!ready) return ready;
  const auto counter = handle_counter(handle.text);
  if (!counter || *counter < state_.handle_base) return {};
  const std::uint64_t id = *counter - state_.handle_base;
  auto begun = begin();
  if (!begun) return begun;
  if (!connection_->run(finish_removed_, id, Text{handle.text}))
    return Failure{roll_back(failed("finishing a removal"))};
  const bool changed = connection_->changes() > 0;
  auto done = finish();
  if (!done) return done;
  if (changed) removals_[id] = RemovalState::finished;
  return {};
}

StoreResult<void> DurableStore::set_system_identity(std::string_view identity) {
  auto ready = usable();
  if (!ready) return ready;
  auto begun = begin();
  if (!begun) return begun;
  if (!connection_->run(set_identity_, Text{identity}))
    return Failure{roll_back(failed("storing the system identity"))};
  auto done = finish();
  if (!done) return done;
  state_.system_identity = std::string(identity);
  return {};
}

StoreResult<std::vector<protocol::ShapeHandle>> DurableStore::remove_all(std::string_view reason,
                                                                         std::int64_t at_unix_us) {
  auto ready = usable();
  if (!ready) return ready.failure();
  auto begun = begin();
  if (!begun) return begun.failure();
  const std::uint64_t none = 0;
  if (!connection_->run(remove_all_, Text{reason}, static_cast<std::uint64_t>(at_unix_us)) ||
      !connection_->run(delete_all_shapes_) || !connection_->run(set_applied_, none, none))
    return Failure{roll_back(failed("removing all shapes"))};
  auto done = finish();
  if (!done) return done.failure();
  std::vector<std::uint64_t> ids;
  for (const auto& [id, shape] : shapes_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  std::vector<protocol::ShapeHandle> removed;
  for (const std::uint64_t id : ids) {
    removals_[id] = RemovalState::open;
    removed.push_back({shapes_.at(id).handle});
    drop_live(shapes_.at(id));
  }
  state_.applied = 0;
  state_.confirmable = 0;
  return removed;
}

}  // namespace holdfast::storage
