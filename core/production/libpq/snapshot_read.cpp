#include "core/production/libpq/snapshot_read.hpp"

namespace holdfast::production {

using env::DatabaseResult;

LibpqSnapshotRead::~LibpqSnapshotRead() {
  bool in_the_middle = false;
  {
    const std::lock_guard lock(feed_->mutex);
    feed_->unwanted = true;
    in_the_middle = !feed_->finished;
  }
  if (in_the_middle) thread_->interrupt()->fire();
  thread_->post([blocking = blocking_] {
    if (blocking->snapshots) blocking->snapshots->end_snapshot();
  });
}

DatabaseResult<void> LibpqSnapshotRead::start(const env::ShapeQuery& query) {
  ASSERT(feed_->finished, "a query is started after the one before it has ended");
  auto started = thread_->run(
      "pg.query", [blocking = blocking_, query] { return blocking->snapshots->start(query); });
  if (!started.ok()) return started;
  const std::lock_guard lock(feed_->mutex);
  feed_->ready.clear();
  feed_->finished = false;
  keep_filling();
  return {};
}

// REQUIRES: the feed is locked.
void LibpqSnapshotRead::keep_filling() {
  if (feed_->fetching || feed_->finished || feed_->ready.size() >= k_ahead) return;
  feed_->fetching = true;
  thread_->post([feed = feed_, blocking = blocking_] { fill(*feed, *blocking->snapshots); });
}

void LibpqSnapshotRead::fill(Feed& feed, BlockingQuery& session) {
  for (;;) {
    auto batch = session.next();
    const std::lock_guard lock(feed.mutex);
    feed.finished = !batch.ok() || batch->rows() == 0;
    feed.ready.push_back(std::move(batch));
    feed.fetching = !feed.finished && !feed.unwanted && feed.ready.size() < k_ahead;
    if (feed.waiting) std::exchange(feed.waiting, std::nullopt)->fire();
    if (!feed.fetching) return;
  }
}

DatabaseResult<postgres::RowBatch> LibpqSnapshotRead::next() {
  for (;;) {
    {
      const std::lock_guard lock(feed_->mutex);
      if (!feed_->ready.empty()) {
        auto batch = std::move(feed_->ready.front());
        feed_->ready.pop_front();
        keep_filling();
        return batch;
      }
      if (feed_->finished) return postgres::RowBatch(1);  // the end was told before
    }
    thread_->wait("pg.query.next", Instant::never(), [feed = feed_](runtime::Wakeup arrived) {
      const std::lock_guard lock(feed->mutex);
      if (feed->ready.empty())
        feed->waiting = std::move(arrived);
      else
        arrived.fire();
    });
  }
}

DatabaseResult<void> LibpqSnapshotRead::outlast_crashes() {
  return thread_->run("pg.outlast_crashes",
                      [blocking = blocking_, position = snapshot_.insert_lsn] {
                        return blocking->snapshots->outlast_crashes(position);
                      });
}

}  // namespace holdfast::production
