#include "sim/postgres/stream/walsender.hpp"

#include "sim/postgres/stream/pgoutput.hpp"

namespace holdfast::sim::postgres {

using holdfast::postgres::ChangeKind;

Walsender::Walsender(const Wal& wal, std::string publication, Lsn start)
    : wal_(wal), publication_(std::move(publication)), start_(start), sent_(start) {
  // Records wholly before the start position have nothing left to say.
  while (next_record_ < wal_.records().size() && wal_.records()[next_record_].span.end <= start_)
    ++next_record_;
}

void Walsender::decode(std::int64_t clock_us, MidKeepalives mid_keepalives) {
  const auto& records = wal_.records();
  if (failed_) return;
  for (; next_record_ < records.size(); ++next_record_) {
    const DecodedRecord& record = records[next_record_];
    if (record.span.end > wal_.flushed()) break;
    if (!outgoing_.empty()) return;
    if (record.transaction == nullptr) {
      invalidate(record.invalidated);
    } else if (record.span.start >= start_) {
      send_transaction(*record.transaction, clock_us, mid_keepalives);
      if (failed_) return;
    }
    sent_ = std::max(sent_, record.span.end);
  }
  sent_ = std::max(sent_, wal_.flushed());
}

// The cache outlives a transaction on purpose: one that began before a catalogue change, but
// commits after another that was decoded under it, finds what that one cached. So does pgoutput.
Walsender::Relation& Walsender::relation(const TableVersion& table) {
  const auto known = relations_.find(table.oid);
  if (known != relations_.end()) return known->second;
  return relations_[table.oid] = {table.publications.count(publication_) != 0};
}

void Walsender::invalidate(Oid table) {
  if (table.value == 0)
    relations_.clear();
  else
    relations_.erase(table);
}

void Walsender::invalidate_between(Lsn after, Lsn before) {
  for (const DecodedRecord& change : wal_.catalog_changes(after, before))
    invalidate(change.invalidated);
}

void Walsender::send_transaction(const Transaction& transaction, std::int64_t clock_us,
                                 MidKeepalives mid_keepalives) {
  bool begun = false;
  const auto begin = [&](Lsn position) {
    if (!begun) send(position, clock_us, encode_begin(transaction));
    if (begun && mid_keepalives == MidKeepalives::some)
      outgoing_.push_back(make_keepalive(sent_, clock_us, Reply::requested));
    begun = true;
  };
  Lsn previous = transaction.changes.empty() ? Lsn{} : transaction.changes.front().lsn;
  for (const LoggedChange& change : transaction.changes) {
    invalidate_between(previous, change.lsn);
    previous = change.lsn;
    // Asked for each table, also one that the publication never had.
    failed_ = !wal_.has_publication(publication_, change.lsn);
    if (failed_) return;
    if (change.kind == ChangeKind::truncate) {
      // TRUNCATE gives a table new storage: a catalogue change of its own transaction.
      for (const TableVersionRef& table : change.truncated) invalidate(table->oid);
      std::vector<Oid> oids;
      for (const TableVersionRef& table : change.truncated)
        if (relation(*table).published) oids.push_back(table->oid);
      if (oids.empty()) continue;
      begin(change.lsn);
      for (const TableVersionRef& table : change.truncated)
        if (relation(*table).published) send_relation(*table, change.lsn, clock_us);
      send(change.lsn, clock_us, encode_truncate(oids));
      continue;
    }
    if (!relation(*change.table).published) continue;
    begin(change.lsn);
    send_relation(*change.table, change.lsn, clock_us);
    send(change.lsn, clock_us, encode_change(change));
  }
  if (begun) send(transaction.end_lsn, clock_us, encode_commit(transaction));
  // The invalidations of a transaction, its own and those it met, are executed once more at its
  // end.
  if (transaction.changes.empty()) return;
  invalidate_between(transaction.changes.front().lsn, transaction.commit_lsn);
  for (const LoggedChange& change : transaction.changes)
    for (const TableVersionRef& table : change.truncated) invalidate(table->oid);
}

void Walsender::send_relation(const TableVersion& table, Lsn position, std::int64_t clock_us) {
  Relation& known = relation(table);
  if (known.told) return;
  known.told = true;
  send(position, clock_us, encode_relation(table));
}

void Walsender::send(Lsn position, std::int64_t clock_us, const std::string& message) {
  outgoing_.push_back(wrap_data(position, clock_us, message));
}

}  // namespace holdfast::sim::postgres
