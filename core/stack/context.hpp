// What every process of one stack shares: its environment, options, guards and marks. Made once per
// start by whoever starts the stack, immutable afterwards, outlives every process.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/guards.hpp"
#include "core/base/marks.hpp"
#include "core/base/time.hpp"
#include "core/env/database.hpp"
#include "core/env/disk.hpp"
#include "core/observe/events.hpp"
#include "core/postgres/decoder.hpp"
#include "core/runtime/suspend.hpp"
#include "core/storage/store.hpp"

namespace holdfast::stack {

class StoreSlot;
class ReaderSet;

struct StackOptions {
  storage::StoreOptions store;
  std::string slot = "holdfast_slot_default";
  std::string publication = "holdfast_publication_default";
  /// Somebody else adds tables to the publication and sets their replica identity.
  bool manual_table_publishing = false;
  unsigned connection_pool_size = 20;
  /// A transaction with more than this is taken from the stream, and stored, in fragments.
  std::uint64_t fragment_bytes = postgres::StreamDecoder::k_default_fragment_bytes;
  /// While more of the stream is under way to the store, no more is taken from it.
  std::uint64_t bytes_under_way_max = 4U << 20;
  Duration snapshot_wait = std::chrono::seconds(60);
  /// A standby looks for new data this often on behalf of held requests.
  Duration standby_poll = std::chrono::milliseconds(250);
  Duration reconnect_backoff_min = std::chrono::milliseconds(500);
  Duration reconnect_backoff_max = std::chrono::seconds(10);
  Duration status_interval = std::chrono::seconds(10);
  /// Live shapes are held against the catalogue this often while the stream runs.
  Duration schema_reconciler_period = std::chrono::seconds(60);
  /// Shapes beyond this many are removed, those first that were read longest ago (LC-2).
  std::optional<std::uint64_t> max_shapes = std::nullopt;
  Duration expiry_interval = std::chrono::seconds(60);
  /// A shape whose consumer died three times on the same input gets it again so much later; if
  /// more than this waits for it then, the shape ends.
  Duration quarantine_retry = std::chrono::seconds(60);
  std::uint64_t quarantine_bytes_max = 16ULL << 20;
};

/// The services a stack runs on. All outlive it.
struct StackEnvironment {
  env::Disk* disk = nullptr;
  env::Database* database = nullptr;
  /// Stateless, hence shared by all who do not say otherwise.
  std::shared_ptr<storage::StoreSource> stores = std::make_shared<storage::DurableStores>();
  runtime::Worker* write_worker = nullptr;     ///< all writes of this instance, in order
  std::vector<runtime::Worker*> read_workers;  ///< >= 1; also compile where clauses
  observe::EventSink* events = nullptr;
  Marks* marks = nullptr;
};

struct StackContext {
  StackEnvironment environment;
  StackOptions options;
  Guards guards = Guards::all();
  std::shared_ptr<StoreSlot> store;  ///< outlives a killed store process (store_process.hpp)
  std::shared_ptr<ReaderSet> readers;

  void reached(Mark mark) const { environment.marks->reached(mark); }
  void emit(const observe::Event& event) const { environment.events->emit(event); }
};

using Context = std::shared_ptr<const StackContext>;

}  // namespace holdfast::stack
