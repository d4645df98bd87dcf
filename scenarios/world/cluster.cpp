#include "scenarios/world/cluster.hpp"

#include <algorithm>

namespace holdfast::scenarios {
namespace {

constexpr Duration k_standby_look = std::chrono::milliseconds(50);
constexpr unsigned k_standby_looks = 100;
constexpr unsigned k_leader_looks = 100;

}  // namespace

Cluster::Cluster(Surroundings surroundings, const Plan& plan)
    : surroundings_(std::move(surroundings)), plan_(plan) {}

void Cluster::after(Duration delay, const char* label, Step step) {
  surroundings_.executor.after(delay, "/world/restarts", label, std::move(step));
}

Instance& Cluster::start_instance(unsigned number) {
  instances_.push_back(std::make_unique<Instance>(surroundings_, number));
  instances_.back()->start();
  return *instances_.back();
}

void Cluster::start_first() {
  leader_ = &start_instance(1);
}

std::vector<Instance*> Cluster::reachable() const {
  std::vector<Instance*> found;
  for (const auto& instance : instances_)
    if (instance->running() && !instance->frozen()) found.push_back(instance.get());
  return found;
}

std::vector<Instance*> Cluster::living() const {
  std::vector<Instance*> found;
  for (const auto& instance : instances_)
    if (!instance->ended()) found.push_back(instance.get());
  return found;
}

void Cluster::kill(Instance& instance) {
  if (instance.ended()) return;
  instance.kill();
  network_->break_connections(instance.number());
}

void Cluster::kill_all() {
  for (const auto& instance : instances_) kill(*instance);
}

void Cluster::stop_all(Step stopped) {
  for (Instance* instance : living())
    if (instance->running()) instance->stop([] {});
  look_until_ended(std::move(stopped));
}

void Cluster::look_until_ended(Step stopped) {
  // Looks, since an instance that was stopping already tells somebody else.
  if (living().empty()) return stopped();
  after(k_standby_look, "stop.look",
        [this, stopped = std::move(stopped)] { look_until_ended(stopped); });
}

// -- restarts -------------------------------------------------------------------------------------

void Cluster::begin_restarts(Step begins, Step over) {
  begins_ = std::move(begins);
  over_ = std::move(over);
  schedule_next();
}

void Cluster::schedule_next() {
  if (next_restart_ >= plan_.restarts.size()) return;
  busy_ = true;
  const PlannedRestart& restart = plan_.restarts[next_restart_];
  after(restart.after, "restart.due", [this, &restart] {
    if (restart.moment == Moment::any_time) return fire(false);
    const auto within = static_cast<std::uint64_t>(restart.kill_delay.count() / 1'000);
    aim_.emplace(restart.moment, within, plan_.knobs);
    const std::size_t number = next_restart_;
    after(k_patience, "restart.anyway", [this, number] {
      if (aim_ && next_restart_ == number) fire(aim_->found());
    });
  });
}

void Cluster::observe(const sim::StepInfo& step) {
  if (!step.process.valid() && step.instance == nullptr && step.label.text.starts_with("store."))
    writer_job_ = step.label.text;
  if (aim_ && aim_->take(step.label.text)) fire(true);
}

void Cluster::fire(bool aimed) {
  aim_.reset();
  const PlannedRestart& restart = plan_.restarts[next_restart_];
  count(restart, aimed);
  begun_.push_back({restart.number, surroundings_.executor.steps(), surroundings_.executor.now()});
  begins_();
  restart_now(restart);
}

void Cluster::count(const PlannedRestart& restart, bool aimed) {
  counters_.by_kind[static_cast<std::size_t>(restart.kind)]++;
  Moment hit = Moment::any_time;
  for (const runtime::ProcessInfo& process : leader_->runtime().processes()) {
    if (process.path.find("/snapshotter[") != std::string::npos) hit = Moment::snapshot;
    if (process.path.find("/mover[") != std::string::npos) hit = Moment::move;
  }
  if (leader_->writing()) {
    if (writer_job_ == "store.commit") hit = Moment::commit;
    if (writer_job_ == "store.remove" || writer_job_ == "store.finish_removal")
      hit = Moment::removal;
    if (writer_job_ == "store.take_over") hit = Moment::takeover;
    if (writer_job_.starts_with("store.spill")) hit = Moment::spill;
  }
  if (aimed && (restart.moment == Moment::slot_made || restart.moment == Moment::fragment ||
                restart.moment == Moment::confirmation || restart.moment == Moment::doubt ||
                restart.moment == Moment::judgement))
    hit = restart.moment;
  counters_.during[static_cast<std::size_t>(hit)]++;
}

void Cluster::restart_now(const PlannedRestart& restart) {
  Instance& old = *leader_;
  const unsigned number = restart.number + 2;  // the first instance has no restart
  const auto start_and_finish = [this, number] {
    leader_ = &start_instance(number);
    finish_restart();
  };
  switch (restart.kind) {
    case RestartKind::brutal:
      kill(old);
      return after(restart.down_time, "restart.start", start_and_finish);
    case RestartKind::power_loss:
      kill_all();
      surroundings_.disk.power_loss();
      return after(restart.down_time, "restart.start", start_and_finish);
    case RestartKind::graceful:
      return stop_old_then(restart, old, [this, &restart, start_and_finish] {
        after(restart.down_time, "restart.start", start_and_finish);
      });
    case RestartKind::rolling: {
      Instance& fresh = start_instance(number);
      return when_standing_by(fresh, k_standby_looks, [this, &restart, &old, &fresh] {
        after(restart.overlap, "rolling.stop_old", [this, &restart, &old, &fresh] {
          leader_ = &fresh;
          stop_old_then(restart, old, [this] { finish_restart(); });
        });
      });
    }
    case RestartKind::frozen:
      return freeze(restart, old);
    case RestartKind::overlapping: {
      // Over when the old one has ended and the new one was started, in whichever order.
      const auto half_done = std::make_shared<bool>(false);
      const auto finish_half = [this, half_done] {
        if (*half_done) finish_restart();
        *half_done = true;
      };
      stop_old_then(restart, old, finish_half);
      return after(restart.overlap, "overlapping.start", [this, number, finish_half] {
        leader_ = &start_instance(number);
        finish_half();
      });
    }
  }
}

void Cluster::freeze(const PlannedRestart& restart, Instance& old) {
  if (!old.running()) return finish_restart();
  old.freeze();
  // The server finds its clients gone, gives their locks free, and another instance takes over. The
  // old one wakes up then, or, if nobody can take over while it sleeps, at the end of all patience.
  after(restart.down_time, "frozen.sessions_end", [this, &restart, &old] {
    surroundings_.postgres.disconnect(old.number());
    Instance& fresh = start_instance(restart.number + 2);
    when_leading(fresh, k_leader_looks, [this, &restart, &old, &fresh] {
      leader_ = &fresh;
      old.thaw();
      after(restart.overlap, "frozen.stop_old",
            [this, &restart, &old] { stop_old_then(restart, old, [this] { finish_restart(); }); });
    });
  });
}

void Cluster::when_leading(Instance& instance, unsigned looks_left, Step then) {
  const bool leads = instance.engine().health() == api::HealthStatus::active;
  if (leads || looks_left == 0 || instance.ended()) return then();
  after(k_standby_look, "frozen.look", [this, &instance, looks_left, then = std::move(then)] {
    when_leading(instance, looks_left - 1, then);
  });
}

void Cluster::stop_old_then(const PlannedRestart& restart, Instance& old, Step then) {
  if (!old.running()) return then();
  // Whichever comes first, the end of the stop or the kill in the middle of it, goes on.
  const auto once = std::make_shared<Step>(std::move(then));
  const auto go_on = [this, once] {
    if (!*once) return;
    Step next = std::move(*once);
    *once = nullptr;
    after(Duration{0}, "stop.over", std::move(next));
  };
  old.stop(go_on);
  if (!restart.kill_during_stop) return;
  after(restart.kill_delay, "stop.killed", [this, &old, go_on] {
    kill(old);
    go_on();
  });
}

void Cluster::when_standing_by(Instance& instance, unsigned looks_left, Step then) {
  const bool ready = instance.engine().health() != api::HealthStatus::starting;
  if (ready || looks_left == 0 || instance.ended()) return then();
  after(k_standby_look, "rolling.look", [this, &instance, looks_left, then = std::move(then)] {
    when_standing_by(instance, looks_left - 1, then);
  });
}

void Cluster::finish_restart() {
  next_restart_++;
  busy_ = false;
  over_();
  schedule_next();
}

}  // namespace holdfast::scenarios
