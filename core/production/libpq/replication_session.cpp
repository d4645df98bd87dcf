#include "core/production/libpq/replication_session.hpp"

namespace holdfast::production {

using env::DatabaseResult;

DatabaseResult<std::unique_ptr<env::ReplicationSession>> LibpqReplicationSession::open(
    const ConnectionSettings& settings, std::shared_ptr<ThreadCount> threads,
    std::shared_ptr<OwnBackends> own) {
  std::unique_ptr<LibpqReplicationSession> made(new LibpqReplicationSession(std::move(own)));
  made->thread_ = std::make_unique<SessionThread>(std::move(threads));
  auto opened =
      made->thread_->run("pg.connect_replication",
                         [blocking = made->blocking_, settings,
                          interrupt = made->thread_->interrupt()]() -> DatabaseResult<int> {
                           auto session = BlockingReplication::open(settings, interrupt);
                           if (!session.ok()) return session.failure();
                           blocking->session = std::move(*session);
                           return blocking->session->backend_pid();
                         });
  if (!opened.ok()) return opened.failure();
  made->backend_pid_ = *opened;
  made->own_->add(*opened);
  return std::unique_ptr<env::ReplicationSession>(std::move(made));
}

LibpqReplicationSession::~LibpqReplicationSession() {
  if (backend_pid_ != 0) own_->remove(backend_pid_);
  // Closing may block (it cancels what runs), so the thread does it.
  if (thread_) thread_->post([blocking = blocking_] { blocking->session.reset(); });
}

DatabaseResult<env::SystemIdentity> LibpqReplicationSession::identify_system() {
  return call("pg.identify", [](BlockingReplication& s) { return s.identify_system(); });
}

DatabaseResult<env::ServerSettings> LibpqReplicationSession::settings() {
  return call("pg.settings", [](BlockingReplication& s) { return s.settings(); });
}

DatabaseResult<void> LibpqReplicationSession::acquire_lock(const std::string& name) {
  return call("pg.lock", [name](BlockingReplication& s) { return s.acquire_lock(name); });
}

DatabaseResult<bool> LibpqReplicationSession::ensure_publication(const std::string& publication) {
  return call("pg.publication",
              [publication](BlockingReplication& s) { return s.ensure_publication(publication); });
}

DatabaseResult<void> LibpqReplicationSession::drop_slot(const std::string& slot) {
  return call("pg.drop_slot", [slot](BlockingReplication& s) { return s.drop_slot(slot); });
}

DatabaseResult<env::SlotState> LibpqReplicationSession::ensure_slot(const std::string& slot) {
  return call("pg.slot", [slot](BlockingReplication& s) { return s.ensure_slot(slot); });
}

DatabaseResult<void> LibpqReplicationSession::start_streaming(const std::string& slot,
                                                              const std::string& publication) {
  return call("pg.start_streaming", [slot, publication](BlockingReplication& s) {
    return s.start_streaming(slot, publication);
  });
}

DatabaseResult<std::vector<std::string>> LibpqReplicationSession::receive(Instant deadline) {
  // Our clock may be a test's; the thread waits on the machine's.
  Deadline until;
  if (deadline != Instant::never())
    until = deadline_after(std::max(Duration(0), deadline - runtime::current_time()));
  return call("pg.receive", [until](BlockingReplication& s) { return s.receive(until); });
}

DatabaseResult<void> LibpqReplicationSession::send_status(postgres::Lsn received,
                                                          postgres::Lsn flushed) {
  return call("pg.send_status", [received, flushed](BlockingReplication& s) {
    return s.send_status(received, flushed);
  });
}

}  // namespace holdfast::production
