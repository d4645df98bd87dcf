// What a run may vary about the simulated server. The defaults are an ordinary, well-behaved one.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/time.hpp"
#include "core/postgres/lsn.hpp"

namespace holdfast::sim::postgres {

class ConditionTrees;

struct ModelOptions {
  holdfast::postgres::FullXid first_xid{740};
  holdfast::postgres::Lsn first_lsn{0x1500000};
  std::uint32_t first_oid = 16384;
  std::string system_identifier = "7300000000000000001";
  std::uint32_t version_number = 150018;
  /// A walsender whose client is silent this long ends; zero: never.
  Duration wal_sender_timeout = std::chrono::seconds(60);
  /// Asynchronous commits are flushed by the next tick of this length.
  Duration wal_writer_delay = std::chrono::milliseconds(200);
  /// How long publish() waits for a table's lock before it answers lock_timeout.
  Duration publish_lock_timeout = std::chrono::seconds(5);
  /// How long a snapshot waits for a table's lock before it answers timeout.
  Duration first_row_timeout = std::chrono::seconds(30);
  /// The server ends a half-open connection after this long.
  Duration half_open_timeout = std::chrono::hours(2);
  /// The lock breaker spares whoever was busy within this time, as in production.
  Duration lock_holder_grace = std::chrono::seconds(5);
  /// Values at least this long are stored apart (TOAST); 0: none are.
  std::size_t toast_bytes = 0;
  /// Percent of keepalives that ask for a reply.
  unsigned reply_requested_percent = 10;
  /// Percent of transactions decoded so slowly that keepalives stand between their messages.
  unsigned mid_transaction_keepalive_percent = 0;
  /// Percent of receive() calls that answer with a few messages instead of all there are.
  unsigned ragged_receive_percent = 0;
  /// false, a mutant: begin_snapshot() leaves the table's lock to the first query.
  bool lock_before_snapshot = true;
  /// Largest number of rows of one SnapshotRead::next().
  std::size_t rows_per_batch = 500;
  /// What models of earlier runs have parsed, outliving this one; nullptr: the model's own. Changes
  /// nothing but the time a run takes.
  ConditionTrees* condition_trees = nullptr;
};

}  // namespace holdfast::sim::postgres
