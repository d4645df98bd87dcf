// One shape with subqueries as a state machine over values (engine.md §3.4–§3.7): transactions and
// moves go in, log items and changes of its views come out. The initial snapshot is a move-in from
// nothing. A plain inner shape is one without dependencies. No process, no I/O, no waiting: whoever
// owns it runs the queries it wants, and stores take_changes() in one commit with what it answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/postgres/stream.hpp"
#include "core/shape/log_item.hpp"
#include "core/subquery/input_buffer.hpp"
#include "core/subquery/marking.hpp"
#include "core/subquery/move_queue.hpp"
#include "core/subquery/state_delta.hpp"

namespace holdfast::subquery {

/// Rows that the shape needs. A new number makes every earlier one void.
struct WantedQuery {
  std::uint64_t attempt = 0;
  std::string condition;
  std::vector<std::uint16_t> columns;  ///< of the definition's relation
  bool initial = false;  ///< its rows are the snapshot; those of a void attempt are thrown away
};

/// What one input led to. To be done in this order: items and take_changes() in one commit; then
/// `narrow`, then `broaden` at the routing index; and only then the query (F-63).
struct Output {
  std::vector<std::string> snapshot_rows;  ///< JSON, of the initial snapshot
  bool snapshot_complete = false;
  std::vector<shape::LogItem> items;
  /// Rows that were taken out before (OuterShape::take_rows()) have their place among the items
  /// here, with ops one after the other.
  struct TakenRows {
    std::size_t before = 0;  ///< index of the item that follows them
    protocol::LogOffset first;
    std::size_t count = 0;
  };
  std::optional<TakenRows> taken;
  std::vector<std::vector<InnerChange>> inner;  ///< the same items by Options::links
  std::vector<ViewDelta> narrow;
  std::vector<ViewDelta> broaden;
  std::optional<WantedQuery> query;
};

class OuterShape {
 public:
  struct Options {
    Rules rules{};
    std::size_t most_values_a_move = 10'000;
    /// If other shapes depend on this one: which of its columns, one entry a materializer.
    std::vector<std::vector<std::uint16_t>> links{};
    bool log = true;  ///< whether anybody reads its items
    /// About so much is held of input that waits, beyond what is not stored yet, and is converted
    /// at once.
    std::size_t piece_bytes = 1U << 20;
  };

  OuterShape(std::shared_ptr<const shape::Definition> definition,
             const protocol::ShapeHandle& handle, Views seeded, Options options);

  // -- inputs -------------------------------------------------------------------------------------

  /// The first query; the routing index was seeded with views() before.
  Output begin();
  /// What it changes is contributed with the input of this number. One in parts (of which but the
  /// last `ends`) is open until on_position() says that all of it was given, and nothing moves
  /// meanwhile: the place of a move is after it, as of one that it causes. REQUIRES: moves that a
  /// whole transaction caused were given before (I-34).
  Output on_transaction(const OuterTransaction& transaction, std::uint64_t input = 0);
  /// A dependency's result has changed by a commit of its inner shape.
  Output on_moves(std::size_t dependency, const Moves& moves);
  /// After a restart: a dependency's result as it is now.
  Output on_subscribed(std::size_t dependency, const ValueSet& values);
  /// The snapshot of a query. REQUIRES: it sees every transaction that was streamed before the
  /// query was wanted (F-64); otherwise on_failed().
  Output on_snapshot(std::uint64_t attempt, const postgres::Snapshot& snapshot);
  /// Cells in the order of WantedQuery::columns.
  Output on_rows(std::uint64_t attempt, const postgres::RowBatch& batch);
  Output on_rows_complete(std::uint64_t attempt);
  /// The rows of a move that are held, in bytes of JSON.
  std::size_t row_bytes() const { return pending_ ? pending_->row_bytes : 0; }
  /// Takes them out, for whoever keeps them until their splice: Output::taken. A query that is
  /// wanted anew makes them void.
  std::vector<std::string> take_rows();
  /// The query failed, or its snapshot will not do: it is wanted again.
  Output on_failed(std::uint64_t attempt);
  /// Every transaction with a commit record before this position was given (I-53).
  Output on_position(postgres::Lsn position);

  // -- a splice of more than one piece ------------------------------------------------------------

  /// An output was one piece of a splice; nothing but go_on() may follow, and all pieces are one
  /// commit.
  bool splicing() const { return splice_.has_value(); }
  /// From which key on Space::buffer is to be read first.
  std::optional<std::string> wants_stored() const;
  /// The next piece. `stored` is what was wanted, in the order of the keys: some of it, or all.
  Result<Output> go_on(const std::vector<StateDelta>& stored);
  /// All contributed with an input before this one is stored: no more is held than is to be.
  void let_go(std::uint64_t stored_before) { buffer_.let_go(stored_before, options_.piece_bytes); }

  // -- state --------------------------------------------------------------------------------------

  /// What the log stands for.
  const Views& views() const { return views_; }
  /// What it will stand for once the query under way is spliced.
  const Views& target() const { return pending_ ? pending_->target : views_; }
  bool steady() const { return !pending_.has_value(); }
  bool snapshot_complete() const { return snapshot_complete_; }
  bool idle() const { return steady() && queue_.empty(); }
  protocol::LogOffset head() const { return head_; }
  postgres::Lsn handled() const { return handled_; }
  bool in_transaction() const { return open_.value != 0; }
  const InputBuffer& buffer() const { return buffer_; }

  /// The position that the stream must pass before the query under way can be spliced, or the
  /// transaction in parts has ended.
  std::optional<postgres::Lsn> waits_for() const;
  /// Commit LSN of the first transaction that is not in the log yet; 0: there is none.
  postgres::Lsn waiting_from() const {
    return buffer_.empty() ? postgres::Lsn{} : buffer_.parts().front().commit_lsn;
  }

  /// What has changed since the last call of everything but the rows of a query under way and the
  /// moves that wait. What is read back wants its query again: on_restored(), then on_subscribed()
  /// for each dependency.
  std::vector<StateDelta> take_changes();
  /// `entries` of other spaces are ignored, and of Space::buffer all but the keys. nullopt: nothing
  /// was ever stored.
  static Result<std::optional<OuterShape>> restore(
      const std::vector<StateDelta>& entries, std::shared_ptr<const shape::Definition> definition,
      const protocol::ShapeHandle& handle, Options options);
  Output on_restored();

 private:
  struct Pending {
    MoveBatch batch;  ///< empty for the initial snapshot
    Views target;
    std::uint64_t attempt = 0;
    std::optional<postgres::Snapshot> snapshot;
    std::vector<std::string> rows;  ///< encoded, but for those that were taken out
    std::size_t row_bytes = 0;
    std::size_t taken = 0;
    std::vector<std::vector<InnerChange>> inner;  ///< the same by Options::links
    bool rows_tell = false;            ///< patterns come from the rows, not from the values
    std::set<shape::MovePattern> ins;  ///< of the rows, where the values do not tell
    std::set<shape::MovePattern> outs;
    bool complete = false;
  };

  /// A splice under way: first what the snapshot sees is converted, then it moves, then the rest.
  struct Splice {
    std::size_t before = 0;  ///< so many of the first parts are still to come before the move
    bool moved = false;
  };

  bool initial() const { return !snapshot_complete_; }
  bool current(std::uint64_t attempt) const;
  void want(Output& output);
  /// Makes moves until there is nothing to do, or a query is wanted.
  void drain(Output& output);
  void move_at_once(const MoveBatch& batch, Output& output);
  void start_move(MoveBatch batch, Output& output);
  void take_row(const postgres::Tuple& tuple, Output& output);
  void splice_if_ready(Output& output);
  void go_on_splicing(Output& output);
  void move(Output& output);
  void finish_splice(Output& output);
  void append_move(Pending& pending, Output& output);
  bool visible(const InputBuffer::Part& part) const;
  void convert(const OuterTransaction& transaction, const Views& views, Output& output);
  void append_event(shape::MoveDirection direction, const std::vector<shape::MovePattern>& patterns,
                    const std::vector<std::uint64_t>& txids, Output& output);
  void inject(std::string json, Output& output);

  // -- outer_shape_bytes.cpp ----------------------------------------------------------------------

  void note_change(const ViewDelta& delta);
  void note_pending();
  std::string header() const;
  bool read_header(std::string_view bytes);

  std::shared_ptr<const shape::Definition> definition_;
  Marking marking_;
  Options options_;
  Views views_;
  MoveQueue queue_;
  std::optional<Pending> pending_;
  InputBuffer buffer_;
  std::optional<Splice> splice_;
  bool snapshot_complete_ = false;
  std::uint64_t attempts_ = 0;
  protocol::LogOffset head_ = protocol::LogOffset::snapshot_end();
  postgres::Lsn handled_;   ///< commit LSN up to which transactions are in the log, or are nothing
  postgres::Lsn position_;  ///< of the stream
  /// Commit LSN of the transaction that is given in parts; 0: none. It is stored with its first
  /// parts, although these may be cut again (design.md §7): then all of it comes again.
  postgres::Lsn open_;
  std::vector<StateDelta> changes_;
  std::string stored_header_;
};

}  // namespace holdfast::subquery
