#include "sim/postgres/walsender.hpp"

#include "sim/postgres/pgoutput.hpp"

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
  for (; next_record_ < records.size(); ++next_record_) {
    const DecodedRecord& record = records[next_record_];
    if (record.span.end > wal_.flushed()) break;
    if (!outgoing_.empty()) return;
    if (record.transaction == nullptr) {
      if (record.invalidated.value == 0)
        known_relations_.clear();
      else
        known_relations_.erase(record.invalidated);
    } else if (record.span.start >= start_) {
      send_transaction(*record.transaction, clock_us, mid_keepalives);
    }
    sent_ = std::max(sent_, record.span.end);
  }
  sent_ = std::max(sent_, wal_.flushed());
}

bool Walsender::publishes(const TableVersion& table) const {
  return table.publications.count(publication_) != 0;
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
  for (const LoggedChange& change : transaction.changes) {
    if (change.kind == ChangeKind::truncate) {
      std::vector<Oid> oids;
      for (const TableVersionRef& table : change.truncated)
        if (publishes(*table)) oids.push_back(table->oid);
      if (oids.empty()) continue;
      begin(change.lsn);
      for (const TableVersionRef& table : change.truncated)
        if (publishes(*table)) send_relation(*table, change.lsn, clock_us);
      send(change.lsn, clock_us, encode_truncate(oids));
      continue;
    }
    if (!publishes(*change.table)) continue;
    begin(change.lsn);
    send_relation(*change.table, change.lsn, clock_us);
    send(change.lsn, clock_us, encode_change(change));
  }
  if (begun) send(transaction.end_lsn, clock_us, encode_commit(transaction));
}

void Walsender::send_relation(const TableVersion& table, Lsn position, std::int64_t clock_us) {
  const auto known = known_relations_.find(table.oid);
  if (known != known_relations_.end() && known->second == table.version) return;
  known_relations_[table.oid] = table.version;
  send(position, clock_us, encode_relation(table));
}

void Walsender::send(Lsn position, std::int64_t clock_us, const std::string& message) {
  outgoing_.push_back(wrap_data(position, clock_us, message));
}

}  // namespace holdfast::sim::postgres
