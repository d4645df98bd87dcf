#include "core/subquery/outer_shape.hpp"

#include <algorithm>
#include <utility>

#include "core/subquery/move_query.hpp"

namespace holdfast::subquery {
namespace {

std::vector<std::string> values_of(const ViewDelta& delta) {
  std::vector<std::string> values = delta.ins;
  values.insert(values.end(), delta.outs.begin(), delta.outs.end());
  return values;
}

}  // namespace

OuterShape::OuterShape(std::shared_ptr<const shape::Definition> definition,
                       const protocol::ShapeHandle& handle, Views seeded, Options options)
    : definition_(definition),
      marking_(definition, handle, options.rules),
      options_(std::move(options)),
      views_(std::move(seeded)),
      queue_(definition->dependencies().size()) {
  ASSERT(views_.sets.size() == definition_->dependencies().size(),
         "a shape has a view of each of its dependencies");
  for (std::size_t d = 0; d < views_.sets.size(); ++d)
    note_change({d, views_.sets[d].values(), {}});
}

std::optional<postgres::Lsn> OuterShape::waits_for() const {
  if (open_.value != 0) return postgres::Lsn{open_.value + 1};
  if (!pending_ || !pending_->complete || !pending_->snapshot) return std::nullopt;
  return pending_->snapshot->insert_lsn;
}

// -- moves ----------------------------------------------------------------------------------------

Output OuterShape::begin() {
  ASSERT(initial() && !pending_, "a shape begins once");
  Output output;
  pending_ = Pending{};
  pending_->target = views_;
  want(output);
  return output;
}

Output OuterShape::on_restored() {
  Output output;
  if (!pending_) return output;
  if (!initial()) output.broaden.push_back(pending_->batch.delta);
  want(output);
  return output;
}

void OuterShape::want(Output& output) {
  Pending pending;
  pending.batch = std::move(pending_->batch);
  pending.target = std::move(pending_->target);
  pending.attempt = ++attempts_;
  pending.inner.resize(options_.links.size());
  WantedQuery query{attempts_, {}, query_columns(*definition_), initial()};
  const ViewDelta& delta = pending.batch.delta;
  if (initial())
    query.condition = snapshot_condition(*definition_, pending.target);
  else if (marking_.patterns_follow(delta.dependency, values_of(delta)))
    query.condition = entering_condition(*definition_, views_, pending.target);
  else
    query.condition = either_condition(*definition_, views_, pending.target);
  pending.rows_tell = !initial() && !marking_.patterns_follow(delta.dependency, values_of(delta));
  pending_ = std::move(pending);
  output.query = std::move(query);
}

Output OuterShape::on_moves(std::size_t dependency, const Moves& moves) {
  queue_.add(dependency, moves, target().sets.at(dependency));
  Output output;
  drain(output);
  return output;
}

Output OuterShape::on_subscribed(std::size_t dependency, const ValueSet& values) {
  queue_.subscribe(dependency, values, target().sets.at(dependency));
  Output output;
  drain(output);
  return output;
}

void OuterShape::drain(Output& output) {
  if (initial() || in_transaction() || splicing()) return;
  while (!pending_) {
    if (auto batch = queue_.take_immediate(marking_)) {
      move_at_once(*batch, output);
    } else if (auto queried = queue_.take_queried(options_.most_values_a_move)) {
      start_move(std::move(*queried), output);
    } else {
      return;
    }
  }
}

void OuterShape::move_at_once(const MoveBatch& batch, Output& output) {
  ValueSet& view = views_.sets[batch.delta.dependency];
  const ValueSet after = changed(view, batch.delta);
  const Flips flips = marking_.flips(batch.delta.dependency, view, after, values_of(batch.delta));
  ASSERT(flips.ins.empty(), "what is moved at once lets no row enter");
  append_event(shape::MoveDirection::out, flips.outs, batch.txids, output);
  view = after;
  note_change(batch.delta);
  output.narrow.push_back(batch.delta);
}

void OuterShape::start_move(MoveBatch batch, Output& output) {
  Pending pending;
  pending.target = views_;
  ValueSet& view = pending.target.sets[batch.delta.dependency];
  view = changed(view, batch.delta);
  output.broaden.push_back(batch.delta);
  pending.batch = std::move(batch);
  pending_ = std::move(pending);
  note_pending();
  want(output);
}

// -- the stream -----------------------------------------------------------------------------------

Output OuterShape::on_transaction(const OuterTransaction& transaction, std::uint64_t input) {
  Output output;
  const postgres::Lsn commit = transaction.transaction->commit_lsn;
  const bool goes_on = in_transaction() && commit == open_;
  const bool buffered = !buffer_.empty() && commit <= buffer_.parts().back().commit_lsn;
  const bool replayed = commit <= handled_ || (buffered && !goes_on);
  if (replayed && options_.rules.drop_replayed_transactions) return output;
  ASSERT(goes_on || !in_transaction(), "of a transaction in parts nothing is left out");
  position_ = std::max(position_, commit);
  if (!transaction.transaction->ends) open_ = commit;
  if (steady() || (!options_.rules.convert_at_the_splice && !initial())) {
    convert(transaction, views_, output);
    if (!in_transaction()) handled_ = commit;
    return output;
  }
  buffer_.push(transaction, options_.piece_bytes);
  // The initial snapshot will be taken anew after a restart, and contain them.
  if (!initial() || buffer_.held_bytes() > options_.piece_bytes) buffer_.store(input, changes_);
  splice_if_ready(output);
  return output;
}

Output OuterShape::on_position(postgres::Lsn position) {
  position_ = std::max(position_, position);
  Output output;
  const bool ended = in_transaction() && position > open_;
  if (ended && steady()) handled_ = std::max(handled_, open_);
  if (ended) open_ = {};
  splice_if_ready(output);
  if (ended) drain(output);
  return output;
}

void OuterShape::convert(const OuterTransaction& outer, const Views& views, Output& output) {
  const postgres::Transaction& transaction = *outer.transaction;
  for (const std::uint32_t index : outer.changes) {
    const postgres::Change& change = transaction.changes.at(index);
    ASSERT(shape_ending(change).empty(), "what ends a shape is not converted");
    const auto marks_of = [&](const postgres::Tuple& tuple) {
      return tuple.empty() ? std::nullopt : marking_.marks_if_included(tuple, views);
    };
    const auto before = marks_of(change.old_tuple);
    const auto after = marks_of(change.new_tuple);
    if (options_.log)
      shape::append_marked_change(output.items, *definition_, change, before ? &*before : nullptr,
                                  after ? &*after : nullptr, transaction.xid,
                                  transaction.commit_lsn);
    output.inner.resize(options_.links.size());
    for (std::size_t i = 0; i < options_.links.size(); ++i)
      append_inner_changes(output.inner[i], *definition_, options_.links[i], change,
                           before.has_value(), after.has_value(), after ? &*after : nullptr);
  }
  if (!output.items.empty()) head_ = std::max(head_, output.items.back().offset);
}

void OuterShape::inject(std::string json, Output& output) {
  if (!options_.log) return;
  head_ = shape::next_injected(head_);
  output.items.push_back({head_, std::move(json), true});
}

void OuterShape::append_event(shape::MoveDirection direction,
                              const std::vector<shape::MovePattern>& patterns,
                              const std::vector<std::uint64_t>& txids, Output& output) {
  if (patterns.empty()) return;
  std::string json;
  shape::append_move_event(json, direction, patterns, txids);
  inject(std::move(json), output);
  InnerChange change;
  change.kind = direction == shape::MoveDirection::in ? InnerChange::Kind::move_in
                                                      : InnerChange::Kind::move_out;
  change.patterns = patterns;
  output.inner.resize(options_.links.size());
  for (auto& inner : output.inner) inner.push_back(change);
}

// -- a query's answers ----------------------------------------------------------------------------

bool OuterShape::current(std::uint64_t attempt) const {
  return pending_ && (pending_->attempt == attempt || !options_.rules.attempts_have_numbers);
}

Output OuterShape::on_snapshot(std::uint64_t attempt, const postgres::Snapshot& snapshot) {
  Output output;
  if (!current(attempt)) return output;
  pending_->snapshot = snapshot;
  splice_if_ready(output);
  return output;
}

Output OuterShape::on_failed(std::uint64_t attempt) {
  Output output;
  if (current(attempt)) want(output);
  return output;
}

Output OuterShape::on_rows(std::uint64_t attempt, const postgres::RowBatch& batch) {
  Output output;
  if (!current(attempt)) return output;
  const std::vector<std::uint16_t> columns = query_columns(*definition_);
  ASSERT(batch.columns() == columns.size(), "a batch has the columns that were wanted");
  postgres::Tuple tuple(definition_->relation().columns.size());
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) tuple[columns[i]] = batch.cell(row, i);
    take_row(tuple, output);
  }
  return output;
}

// The evaluator that sees the stream decides here as well: SQL only narrows what it looks at.
void OuterShape::take_row(const postgres::Tuple& tuple, Output& output) {
  Pending& pending = *pending_;
  const auto after = marking_.marks_if_included(tuple, pending.target);
  const bool was_in = !initial() && marking_.marks_if_included(tuple, views_).has_value();
  if (pending.rows_tell) {
    const shape::RowMarks old_marks = marking_.marks(tuple, views_);
    const shape::RowMarks new_marks = marking_.marks(tuple, pending.target);
    for (std::size_t p = 0; p < old_marks.active.size(); ++p)
      if (old_marks.active[p] != new_marks.active[p])
        (new_marks.active[p] ? pending.ins : pending.outs).insert({p, new_marks.hashes[p]});
  }
  if (!after || was_in) return;
  for (std::size_t i = 0; i < options_.links.size(); ++i)
    pending.inner[i].push_back(inner_row(*definition_, options_.links[i], tuple, &*after));
  if (!options_.log) return;
  std::string json;
  shape::append_marked_row(json, *definition_, tuple, *after,
                           initial() ? shape::RowOrigin::snapshot : shape::RowOrigin::move_in);
  if (initial()) return output.snapshot_rows.push_back(std::move(json));
  pending.row_bytes += json.size();
  pending.rows.push_back(std::move(json));
}

std::vector<std::string> OuterShape::take_rows() {
  ASSERT(pending_, "rows are of a move under way");
  pending_->taken += pending_->rows.size();
  pending_->row_bytes = 0;
  return std::exchange(pending_->rows, {});
}

Output OuterShape::on_rows_complete(std::uint64_t attempt) {
  Output output;
  if (!current(attempt)) return output;
  pending_->complete = true;
  splice_if_ready(output);
  return output;
}

// -- the splice -----------------------------------------------------------------------------------

bool OuterShape::visible(const InputBuffer::Part& part) const {
  return part.commit_lsn <= pending_->snapshot->insert_lsn && pending_->snapshot->sees(part.xid);
}

void OuterShape::splice_if_ready(Output& output) {
  if (!pending_ || !pending_->complete || !pending_->snapshot || in_transaction()) return;
  const auto seen = [&](const InputBuffer::Part& part) { return visible(part); };
  const auto& parts = buffer_.parts();
  const auto first_invisible = std::find_if_not(parts.begin(), parts.end(), seen);
  const bool passed = position_ >= pending_->snapshot->insert_lsn;
  // Commit records and visibility have orders of their own: an invisible transaction does not mean
  // that no visible one follows. None that lies beyond the insert position is visible.
  if (!passed && (options_.rules.wait_for_the_insert_position || first_invisible == parts.end()))
    return;
  const bool inversion = std::any_of(first_invisible, parts.end(), seen);
  // The visible one would have to be written before one with a smaller offset. Into a snapshot
  // nothing is written.
  if (inversion && !initial() && options_.rules.query_again_on_inversion) return want(output);
  if (!parts.empty()) handled_ = std::max(handled_, parts.back().commit_lsn);
  splice_ = Splice{buffer_.partition(seen), false};
  if (initial()) buffer_.drop_first(std::exchange(splice_->before, 0));
  go_on_splicing(output);
}

void OuterShape::go_on_splicing(Output& output) {
  std::size_t converted = 0;
  for (;;) {
    if (splice_->before == 0 && !splice_->moved) {
      move(output);
    } else if (buffer_.empty()) {
      return finish_splice(output);
    } else {
      const InputBuffer::Part& next = buffer_.parts().front();
      if (next.body == nullptr || converted >= options_.piece_bytes) return;
      convert(*next.body, views_, output);
      converted += next.bytes;
      if (!splice_->moved) splice_->before--;
      buffer_.drop_first(1);
    }
  }
}

std::optional<std::string> OuterShape::wants_stored() const {
  ASSERT(splice_, "only a splice wants what is stored");
  if (buffer_.empty() || buffer_.parts().front().body != nullptr) return std::nullopt;
  return buffer_.parts().front().key();
}

Result<Output> OuterShape::go_on(const std::vector<StateDelta>& stored) {
  if (wants_stored())
    if (const auto given = buffer_.give_back(stored); !given.ok()) return given.failure();
  Output output;
  go_on_splicing(output);
  return output;
}

void OuterShape::append_move(Pending& pending, Output& output) {
  Flips flips{{pending.ins.begin(), pending.ins.end()}, {pending.outs.begin(), pending.outs.end()}};
  const ViewDelta& delta = pending.batch.delta;
  if (!pending.rows_tell)
    flips = marking_.flips(delta.dependency, views_.sets[delta.dependency],
                           pending.target.sets[delta.dependency], values_of(delta));
  append_event(shape::MoveDirection::out, flips.outs, pending.batch.txids, output);
  append_event(shape::MoveDirection::in, flips.ins, pending.batch.txids, output);
  if (pending.taken > 0) {
    const protocol::LogOffset first = shape::next_injected(head_);
    output.taken = Output::TakenRows{output.items.size(), first, pending.taken};
    head_ = protocol::LogOffset::at(first.tx, first.op + pending.taken - 1);
  }
  const bool rows = pending.taken > 0 || !pending.rows.empty();
  for (std::string& row : pending.rows) inject(std::move(row), output);
  if (!rows) return;
  std::string end;
  shape::append_snapshot_end(end, *pending.snapshot);
  inject(std::move(end), output);
}

void OuterShape::move(Output& output) {
  Pending pending = std::move(*pending_);
  pending_.reset();
  splice_->moved = true;
  if (initial()) {
    output.snapshot_complete = snapshot_complete_ = true;
  } else {
    append_move(pending, output);
    note_change(pending.batch.delta);
    note_pending();
    output.narrow.push_back(pending.batch.delta);
  }
  output.inner.resize(options_.links.size());
  for (std::size_t i = 0; i < pending.inner.size(); ++i)
    output.inner[i].insert(output.inner[i].end(), std::make_move_iterator(pending.inner[i].begin()),
                           std::make_move_iterator(pending.inner[i].end()));
  views_ = std::move(pending.target);
}

void OuterShape::finish_splice(Output& output) {
  splice_.reset();
  buffer_.clear(changes_);
  // What was visible and gave no item is not to be taken for new when it is replayed (8.9 A). A
  // commit record may begin where the stream stands, and is still to come then.
  if (position_.value > 0) handled_ = std::max(handled_, postgres::Lsn{position_.value - 1});
  drain(output);
}

}  // namespace holdfast::subquery
