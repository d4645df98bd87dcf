#include "core/storage/store_reader.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/packing.hpp"
#include "core/storage/store_directory.hpp"

namespace holdfast::storage {
namespace {

constexpr std::size_t k_reader_cache_bytes = 1 << 20;
constexpr std::size_t k_entries_at_a_time = 64;
/// A segment that a transaction saw may be gone by the time it is opened: look again.
constexpr int k_read_attempts = 4;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Serves a record: its JSON, with the last header where it belongs.
void append_item(std::string& out, std::string_view json, bool last) {
  if (!out.empty()) out.push_back(',');
  if (!last) {
    out.append(json);
    return;
  }
  out.append(json.substr(0, json.size() - 2)).append(k_last_header).append("}}");
}

}  // namespace

StoreResult<std::unique_ptr<Reader>> open_reader(env::Disk& disk, const StoreOptions& options,
                                                 std::shared_ptr<const JournalIndex> index) {
  const bool holds_the_epoch = index != nullptr;
  auto reader = StoreReader::open(disk, options, std::move(index));
  // What the holder reads take_over() has made durable.
  if (!reader) return reader.failure();
  if (holds_the_epoch) return std::unique_ptr<Reader>(std::move(*reader));
  if (auto durable = (*reader)->make_log_durable(disk, options.directory); !durable)
    return durable.failure();
  return std::unique_ptr<Reader>(std::move(*reader));
}

StoreResult<void> check_owner(env::Disk& disk, const StoreOptions& options) {
  auto reader = StoreReader::open(disk, options, nullptr);
  if (reader || reader.error().kind == StoreFailure::not_found) return {};
  return reader.failure();
}

StoreResult<std::unique_ptr<StoreReader>> StoreReader::open(
    env::Disk& disk, const StoreOptions& options, std::shared_ptr<const JournalIndex> index) {
  // Listed, not opened: closing a second descriptor of the file would drop SQLite's locks on it.
  // A holder that is still creating the database, or was killed while it did, has a rollback
  // journal or no log yet. Opened then, SQLite would roll back or create the log: a reader writes
  // nothing. Once there is a log without a journal, that stays so until a power loss.
  const auto names = disk.list(options.directory);
  const std::string name = k_database_name;
  const bool absent = names.ok() ? !contains(*names, name) || !contains(*names, name + "-wal") ||
                                       contains(*names, name + "-journal")
                                 : names.error().kind == env::DiskFailure::not_found;
  if (absent)
    return Failure{StoreError{StoreFailure::not_found,
                              options.directory + ": no store has been created here yet"}};
  auto connection =
      Connection::open(database_path(options.directory), disk.sqlite_vfs(), ConnectionRole::reader);
  if (!connection) return connection.failure();
  auto schema = check_schema(**connection);
  if (!schema) return schema.failure();
  auto state = StateReader(**connection).read();
  if (!state) return state.failure();
  if (auto ours = check_owner(**connection, *state, options); !ours) return ours.failure();
  return std::unique_ptr<StoreReader>(
      new StoreReader(disk, options, std::move(*connection), std::move(index)));
}

StoreResult<void> StoreReader::make_log_durable(env::Disk& disk, const std::string& directory) {
  const auto locked = connection_->execute("PRAGMA query_only=0; BEGIN IMMEDIATE");
  if (!locked) return Failure{connection_->failure("cannot lock the log")};
  auto rewritten = rewrite_wal(disk, directory);
  if (!rewritten) return rewritten;  // closing the connection unlocks it
  const auto unlocked = connection_->execute("ROLLBACK; PRAGMA query_only=1");
  if (!unlocked) return Failure{connection_->failure("cannot unlock the log")};
  return {};
}

StoreReader::StoreReader(env::Disk& disk, const StoreOptions& options,
                         std::unique_ptr<Connection> connection,
                         std::shared_ptr<const JournalIndex> index)
    : connection_(std::move(connection)),
      state_reader_(*connection_),
      catalogue_(*connection_),
      journal_(*connection_, k_reader_cache_bytes),
      segments_(disk, segment_directory(options.directory)),
      shared_index_(std::move(index)) {}

template <class T, class Body>
StoreResult<T> StoreReader::in_transaction(const Body& body) {
  if (!connection_->run(begin_)) return Failure{connection_->failure("cannot begin to read")};
  StoreResult<T> result = body();
  // Nothing was written, so there is nothing to lose when ending fails; the next BEGIN would say
  // so.
  if (connection_->in_transaction() && !connection_->run(end_) && result)
    return Failure{connection_->failure("cannot end a read")};
  return result;
}

StoreResult<Slice> StoreReader::read(const ReadRequest& request) {
  for (int attempt = 1;; ++attempt) {
    segment_missing_ = false;
    auto slice = in_transaction<Slice>([&] { return read_once(request); });
    if (!segment_missing_ || attempt == k_read_attempts) return slice;
  }
}

template <class T>
StoreResult<T> StoreReader::note_missing(StoreResult<T> read) {
  if (read || read.error().kind != StoreFailure::not_found) return read;
  segment_missing_ = true;
  return Failure{StoreError{StoreFailure::corrupt, read.error().message}};
}

StoreResult<Slice> StoreReader::read_once(const ReadRequest& request) {
  const auto unknown = [&] {
    return Failure{
        StoreError{StoreFailure::not_found, "no live shape has handle " + request.handle.text}};
  };
  const auto counter = handle_counter(request.handle.text);
  if (!counter) return unknown();
  Reading reading{.state = {},
                  .shape = 0,
                  .after = request.after,
                  .head = request.head,
                  .slice = {request.head, {}},
                  .done = false};
  std::uint64_t chunks = 0;
  {
    Query rows = connection_->query(select_shape_, *counter);
    if (!rows.next()) {
      if (rows.failed()) return Failure{connection_->failure("reading a shape")};
      return Failure{connection_->corrupt("table state has no row")};
    }
    reading.state.epoch = rows.number(0);
    reading.state.applied = rows.number(1);
    reading.state.sealed_row = rows.number(2);
    if (rows.is_null(6) || rows.bytes(4) != request.handle.text) return unknown();
    chunks = rows.number(5);  // 0: not complete
    reading.shape = rows.number(6);
  }
  const protocol::LogOffset after = request.after;
  const bool in_snapshot =
      !after.started || (after.tx == 0 && after.op != protocol::LogOffset::k_infinite);
  if (in_snapshot) {
    const std::uint64_t chunk = after.started ? after.op + 1 : 0;
    if (chunks == 0) return Slice{protocol::LogOffset::at(0, chunk), {}};
    if (chunk < chunks) return read_snapshot_chunk(reading.shape, chunk);
    reading.after = protocol::LogOffset::snapshot_end();
  }
  if (reading.after >= reading.head) return std::move(reading.slice);
  auto read = read_log(reading);
  if (!read) return read.failure();
  return std::move(reading.slice);
}

StoreResult<Slice> StoreReader::read_snapshot_chunk(std::uint64_t shape, std::uint64_t chunk) {
  Slice slice{protocol::LogOffset::at(0, chunk), {}};
  Query rows = connection_->query(select_part_, part_id(shape, chunk));
  const std::string where = "table snapshot_part, row " + std::to_string(part_id(shape, chunk));
  if (!rows.next()) {
    if (rows.failed()) return Failure{connection_->failure("reading a snapshot")};
    return Failure{connection_->corrupt(where + ": missing")};
  }
  if (rows.is_null(0)) {
    const std::string_view bytes = rows.bytes(4);
    if (bytes.size() != rows.number(2) || checksum(bytes) != rows.number(3))
      return Failure{connection_->corrupt(where + ": wrong checksum or length")};
    slice.items = std::string(bytes);
    return slice;
  }
  const std::uint64_t begin = rows.number(1);
  auto bytes =
      note_missing(segments_.read_snapshot({rows.number(0)}, begin, begin + rows.number(2)));
  if (!bytes) return bytes.failure();
  slice.items = std::move(*bytes);
  return slice;
}

StoreResult<JournalSlice> StoreReader::journal_after(const Reading& reading,
                                                     const protocol::LogOffset& after) {
  const JournalVersion version{reading.state.epoch, reading.state.sealed_row};
  if (shared_index_ != nullptr) {
    auto found = shared_index_->find(version, reading.shape, after, k_entries_at_a_time);
    if (found) return std::move(*found);
  }
  auto caught_up = catch_up(reading.state);
  if (!caught_up) return caught_up.failure();
  auto found = own_index_.find(version, reading.shape, after, k_entries_at_a_time);
  return found ? std::move(*found) : JournalSlice{};
}

StoreResult<void> StoreReader::read_log(Reading& reading) {
  journal_.use_epoch(reading.state.epoch);
  auto slice = journal_after(reading, reading.after);
  if (!slice) return slice.failure();
  if (!slice->reaches_back) {
    auto read = read_runs(reading);
    if (!read || reading.done) return read;
  }
  return read_journal(reading, std::move(*slice));
}

StoreResult<void> StoreReader::read_runs(Reading& reading) {
  const std::string key = offset_key(reading.after);
  Query rows = connection_->query(select_runs_, reading.shape, Blob{key});
  while (!reading.done && rows.next()) {
    const SegmentId segment{rows.number(1)};
    auto bytes = note_missing(segments_.read_run(segment, rows.number(2), rows.number(3),
                                                 static_cast<std::uint32_t>(rows.number(4))));
    if (!bytes) return bytes.failure();
    const auto records = parse_run(*bytes);
    if (!records)
      return Failure{StoreError{StoreFailure::corrupt, connection_->path() + ": run at offset " +
                                                           std::to_string(rows.number(2)) + " of " +
                                                           segment.name() + " is malformed"}};
    for (const RunRecord& record : *records) {
      if (record.offset <= reading.after) continue;
      reading.done = record.offset > reading.head;
      if (reading.done) break;
      append_item(reading.slice.items, record.json, record.last);
      if (record.offset == reading.head) reading.done = true;
    }
    if (!reading.done && rows.number(5) != 0) {
      reading.slice.end = offset_from_key(rows.bytes(0));
      reading.done = true;
    }
  }
  if (rows.failed()) return Failure{connection_->failure("reading runs")};
  return {};
}

StoreResult<void> StoreReader::read_journal(Reading& reading, JournalSlice slice) {
  for (;;) {
    for (const JournalEntry& entry : slice.entries) {
      auto visited = journal_.visit(reading.shape, entry, [&](const JournalRecord& record) {
        if (record.offset <= reading.after) return Visit::more;
        if (record.offset > reading.head) {
          reading.done = true;
          return Visit::stop;
        }
        append_item(reading.slice.items, record.json, record.last);
        if (record.closes_chunk) reading.slice.end = record.offset;
        reading.done = record.closes_chunk || record.offset == reading.head;
        return reading.done ? Visit::stop : Visit::more;
      });
      if (!visited || reading.done) return visited;
    }
    if (!slice.more) return {};
    auto next = journal_after(reading, slice.entries.back().last());
    if (!next) return next.failure();
    slice = std::move(*next);
  }
}

StoreResult<void> StoreReader::catch_up(const StoreState& state) {
  const JournalVersion version{state.epoch, state.sealed_row};
  if (own_version_.epoch != state.epoch) {
    own_index_.reset();
    own_last_row_ = state.sealed_row;
  }
  if (own_version_ != version) {
    own_version_ = version;
    own_index_.set_version(version);
    own_index_.trim();
  }
  if (own_last_row_ < state.sealed_row) own_last_row_ = state.sealed_row;
  return journal_.scan(
      own_last_row_, [&](std::uint64_t row, const ReferenceRow& references) -> StoreResult<void> {
        auto sections = references.sections();
        if (!sections)
          return Failure{connection_->corrupt("table journal, row " + std::to_string(row) +
                                              ": malformed section")};
        for (const Section& section : *sections)
          own_index_.add(section.header.shape, {section.header.last.tx, section.header.last.op, row,
                                                section.position, section.bytes});
        own_last_row_ = row;
        return {};
      });
}

StoreResult<protocol::LogOffset> StoreReader::head_of(const CatalogueShape& shape,
                                                      const StoreState& state) {
  const JournalVersion version{state.epoch, state.sealed_row};
  journal_.use_epoch(state.epoch);
  std::optional<std::vector<JournalEntry>> tail;
  if (shared_index_ != nullptr) tail = shared_index_->tail(version, shape.id, state.applied);
  if (!tail) {
    auto caught_up = catch_up(state);
    if (!caught_up) return caught_up.failure();
    tail = own_index_.tail(version, shape.id, state.applied);
  }
  protocol::LogOffset head = shape.record.head;
  bool from_journal = false;
  for (const JournalEntry& entry : tail ? *tail : std::vector<JournalEntry>{}) {
    if (is_visible(entry.last_tx, state.applied)) {
      head = entry.last();
      from_journal = true;
      continue;
    }
    auto visited = journal_.visit(shape.id, entry, [&](const JournalRecord& record) {
      if (!is_visible(record.offset.tx, state.applied)) return Visit::stop;
      head = record.offset;
      from_journal = true;
      return Visit::more;
    });
    if (!visited) return visited.failure();
  }
  if (from_journal) return head;
  auto sealed = catalogue_.sealed_end(shape.id);
  if (!sealed) return sealed.failure();
  return *sealed ? (*sealed)->last : head;
}

StoreResult<ShapeLookup> StoreReader::find(const protocol::ShapeHandle& handle) {
  return in_transaction<ShapeLookup>([&]() -> StoreResult<ShapeLookup> {
    ShapeLookup lookup;
    auto state = state_reader_.read();
    if (!state) return state.failure();
    const auto counter = handle_counter(handle.text);
    if (!counter || *counter < state->handle_base) return lookup;
    const std::uint64_t id = *counter - state->handle_base;
    auto shape = catalogue_.by_id(id);
    if (!shape) return shape.failure();
    if (*shape && (*shape)->record.handle == handle) {
      auto head = head_of(**shape, *state);
      if (!head) return head.failure();
      lookup.live = std::move((*shape)->record);
      lookup.live->head = *head;
      return lookup;
    }
    auto reason = catalogue_.removed_reason(id, handle.text);
    if (!reason) return reason.failure();
    lookup.removed_reason = std::move(*reason);
    return lookup;
  });
}

StoreResult<std::optional<ShapeRecord>> StoreReader::find_by_identity(const Hash128& identity) {
  using Found = std::optional<ShapeRecord>;
  return in_transaction<Found>([&]() -> StoreResult<Found> {
    auto state = state_reader_.read();
    if (!state) return state.failure();
    auto shape = catalogue_.by_identity(identity);
    if (!shape) return shape.failure();
    if (!*shape) return Found{};
    auto head = head_of(**shape, *state);
    if (!head) return head.failure();
    Found found = std::move((*shape)->record);
    found->head = *head;
    return found;
  });
}

StoreResult<std::uint64_t> StoreReader::live_id(const protocol::ShapeHandle& handle) {
  auto state = state_reader_.read();
  if (!state) return state.failure();
  const auto counter = handle_counter(handle.text);
  auto shape = catalogue_.by_id(counter.value_or(0) - state->handle_base);
  if (!shape) return shape.failure();
  if (*shape && (*shape)->record.handle == handle) return (*shape)->id;
  return Failure{StoreError{StoreFailure::not_found, "no live shape has handle " + handle.text}};
}

StoreResult<std::vector<StateEntry>> StoreReader::load_waiting(const protocol::ShapeHandle& handle,
                                                               const std::string& from,
                                                               std::size_t bytes) {
  using Entries = std::vector<StateEntry>;
  return in_transaction<Entries>([&]() -> StoreResult<Entries> {
    const auto id = live_id(handle);
    if (!id) return id.failure();
    Entries entries;
    std::size_t read = 0;
    Query rows = connection_->query(select_waiting_, *id, Blob{from});
    while (read < bytes && rows.next()) {
      entries.push_back({k_waiting_space, std::string(rows.bytes(0)), std::string(rows.bytes(1))});
      read += entries.back().key.size() + entries.back().value.size();
    }
    if (rows.failed()) return Failure{connection_->failure("reading input that waits")};
    return entries;
  });
}

StoreResult<std::vector<StateEntry>> StoreReader::load_state(const protocol::ShapeHandle& handle) {
  using Entries = std::vector<StateEntry>;
  return in_transaction<Entries>([&]() -> StoreResult<Entries> {
    const auto id = live_id(handle);
    if (!id) return id.failure();
    Entries entries;
    Query rows = connection_->query(select_state_, *id);
    while (rows.next())
      entries.push_back({static_cast<std::uint32_t>(rows.number(0)), std::string(rows.bytes(1)),
                         std::string(rows.bytes(2))});
    if (rows.failed()) return Failure{connection_->failure("reading state")};
    return entries;
  });
}

StoreResult<Boot> StoreReader::load() {
  return in_transaction<Boot>([&]() -> StoreResult<Boot> {
    auto state = state_reader_.read();
    if (!state) return state.failure();
    Boot boot;
    boot.epoch = state->epoch;
    boot.applied = {state->applied};
    boot.confirmable = {state->confirmable};
    boot.system_identity = state->system_identity;
    auto shapes = catalogue_.all();
    if (!shapes) return shapes.failure();
    for (CatalogueShape& shape : *shapes) {
      auto head = head_of(shape, *state);
      if (!head) return head.failure();
      shape.record.head = *head;
      boot.shapes.push_back(std::move(shape.record));
    }
    auto removals = catalogue_.unfinished_removals();
    if (!removals) return removals.failure();
    boot.unfinished_removals = std::move(*removals);
    return boot;
  });
}

StoreResult<std::uint64_t> StoreReader::epoch() {
  Query rows = connection_->query(select_epoch_);
  if (rows.next()) return rows.number(0);
  return Failure{connection_->failure("reading the epoch")};
}

}  // namespace holdfast::storage
