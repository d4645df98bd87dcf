#include "core/production/libpq/query_session.hpp"

#include "core/production/libpq/snapshot_read.hpp"

namespace holdfast::production {

using env::DatabaseResult;
using env::PublishOutcome;
using postgres::RelationName;

LibpqQuerySession::LibpqQuerySession(const QuerySettings& settings,
                                     std::shared_ptr<ThreadCount> threads,
                                     std::shared_ptr<OwnBackends> own)
    : own_(std::move(own)),
      thread_(std::make_shared<SessionThread>(std::move(threads))),
      blocking_(std::make_shared<Blocking>()) {
  blocking_->settings = settings;
  blocking_->interrupt = thread_->interrupt();
}

DatabaseResult<std::unique_ptr<env::QuerySession>> LibpqQuerySession::open(
    const QuerySettings& settings, std::shared_ptr<ThreadCount> threads,
    std::shared_ptr<OwnBackends> own) {
  std::unique_ptr<LibpqQuerySession> made(
      new LibpqQuerySession(settings, std::move(threads), std::move(own)));
  auto opened =
      made->thread_->run("pg.connect", [blocking = made->blocking_]() -> DatabaseResult<void> {
        auto session = BlockingQuery::open(blocking->settings.pooled, blocking->interrupt);
        if (!session.ok()) return session.failure();
        blocking->snapshots = std::move(*session);
        return {};
      });
  if (!opened.ok()) return opened.failure();
  return std::unique_ptr<env::QuerySession>(std::move(made));
}

LibpqQuerySession::~LibpqQuerySession() {
  thread_->interrupt()->fire();
  // Closing may block (it cancels what runs), so the thread does it.
  thread_->post([blocking = blocking_] {
    blocking->snapshots.reset();
    blocking->direct.reset();
  });
}

DatabaseResult<BlockingQuery*> LibpqQuerySession::Blocking::administrative() {
  if (settings.direct.url == settings.pooled.url) return snapshots.get();
  if (!direct) {
    auto session = BlockingQuery::open(settings.direct, interrupt);
    if (!session.ok()) return session.failure();
    direct = std::move(*session);
  }
  return direct.get();
}

DatabaseResult<std::optional<postgres::RelationInfo>> LibpqQuerySession::inspect(
    const RelationName& name) {
  return administer("pg.inspect", [name](BlockingQuery& s) { return s.inspect(name); });
}

DatabaseResult<PublishOutcome> LibpqQuerySession::publish(const std::string& publication,
                                                          const RelationName& table) {
  return administer("pg.publish", [publication, table](BlockingQuery& s) {
    return s.publish(publication, table);
  });
}

DatabaseResult<void> LibpqQuerySession::unpublish(const std::string& publication,
                                                  const env::PublishedTable& table,
                                                  const std::string& slot) {
  const std::vector<int> own = own_->list();
  if (own.empty()) return {};
  return administer("pg.unpublish", [publication, table, slot, own](BlockingQuery& s) {
    return s.unpublish(publication, table, slot, own);
  });
}

DatabaseResult<env::PublicationState> LibpqQuerySession::verify_published(
    const std::string& publication, const RelationName& table) {
  return administer("pg.verify_published", [publication, table](BlockingQuery& s) {
    return s.verify_published(publication, table);
  });
}

DatabaseResult<std::vector<env::PublishedTable>> LibpqQuerySession::published(
    const std::string& publication) {
  return administer("pg.published",
                    [publication](BlockingQuery& s) { return s.published(publication); });
}

DatabaseResult<unsigned> LibpqQuerySession::break_lock(const std::string& slot) {
  const std::vector<int> own = own_->list();
  if (own.empty()) return 0U;
  return administer("pg.break_lock",
                    [slot, own](BlockingQuery& s) { return s.break_lock(slot, own); });
}

DatabaseResult<postgres::Snapshot> LibpqQuerySession::current_snapshot() {
  return thread_->run("pg.current_snapshot",
                      [blocking = blocking_] { return blocking->snapshots->current_snapshot(); });
}

DatabaseResult<std::unique_ptr<env::SnapshotRead>> LibpqQuerySession::begin_snapshot(
    const RelationName& table) {
  auto begun = thread_->run("pg.begin_snapshot", [blocking = blocking_, table] {
    return blocking->snapshots->begin_snapshot(table);
  });
  if (!begun.ok()) {
    thread_->post([blocking = blocking_] { blocking->snapshots->end_snapshot(); });
    return begun.failure();
  }
  return std::unique_ptr<env::SnapshotRead>(
      new LibpqSnapshotRead(std::move(*begun), thread_, blocking_));
}

}  // namespace holdfast::production
