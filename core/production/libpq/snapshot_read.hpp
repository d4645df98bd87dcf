// env::SnapshotRead over libpq. While the process works on one batch, the session's thread already
// reads the next ones, up to k_ahead.
#pragma once

#include <deque>
#include <memory>
#include <mutex>

#include "core/production/libpq/query_session.hpp"

namespace holdfast::production {

class LibpqSnapshotRead final : public env::SnapshotRead {
 public:
  static constexpr std::size_t k_ahead =
      4;  // batches; each of at most BlockingQuery::k_batch_bytes

  LibpqSnapshotRead(BlockingQuery::LockedTable begun, std::shared_ptr<SessionThread> thread,
                    std::shared_ptr<LibpqQuerySession::Blocking> blocking)
      : snapshot_(std::move(begun.snapshot)),
        relation_(std::move(begun.relation)),
        thread_(std::move(thread)),
        blocking_(std::move(blocking)) {}
  /// In the middle of rows it ends the session with it: only that stops the query at once.
  ~LibpqSnapshotRead() override;

  const postgres::Snapshot& snapshot() const override { return snapshot_; }
  const postgres::RelationInfo& relation() const override { return relation_; }
  env::DatabaseResult<void> start(const env::ShapeQuery& query) override;
  env::DatabaseResult<postgres::RowBatch> next() override;
  env::DatabaseResult<void> outlast_crashes() override;

 private:
  /// Between the thread, which fills it, and the process, which empties it.
  struct Feed {
    std::mutex mutex;
    std::deque<env::DatabaseResult<postgres::RowBatch>> ready;
    bool fetching = false;  ///< a job that fills is queued or runs
    bool finished = true;   ///< the last batch, empty or an error, is or was in `ready`
    bool unwanted = false;
    std::optional<runtime::Wakeup> waiting;
  };
  static void fill(Feed& feed, BlockingQuery& session);
  void keep_filling();

  postgres::Snapshot snapshot_;
  postgres::RelationInfo relation_;
  std::shared_ptr<SessionThread> thread_;
  std::shared_ptr<LibpqQuerySession::Blocking> blocking_;
  std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
};

}  // namespace holdfast::production
