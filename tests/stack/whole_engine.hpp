// A whole engine on the simulated Postgres and disk, asked and stopped step by step: what tests
// stand on that need the real processes and one exact interleaving of them. FIFO schedule unless
// another is given; the disk never waits.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/world/instance.hpp"

namespace holdfast::stack::test {

inline protocol::Request request(const std::string& target, const char* method = "GET") {
  protocol::Request made;
  made.method = method;
  protocol::parse_target(target, made);
  return made;
}

class WholeEngine {
 public:
  explicit WholeEngine(sim::SimulatedExecutorOptions schedule = {})
      : executor_(std::move(schedule)) {
    engine_.api.authentication = api::Authentication::insecure;
  }
  ~WholeEngine() {
    for (const auto& instance : begun_) instance->kill();
    executor_.drain_workers();
  }

  /// A new instance on the disk as it is, once it serves. The one before has ended, or leads no
  /// more.
  void start(const Guards& guards = Guards::all()) {
    instance_ = &begin(guards);
    until([&] { return instance_->engine().health() == api::HealthStatus::active; });
  }
  /// One that has just begun, perhaps beside others.
  scenarios::Instance& begin(const Guards& guards) {
    engine_.guards = guards;
    engine_.stack.store.guards = guards;
    engine_.stack.store.directory = "/data";
    engine_.stack.store.owner = engine_.stack.slot;
    begun_.push_back(std::make_unique<scenarios::Instance>(
        scenarios::Surroundings{executor_, disk_, postgres_, events_, marks_, engine_, observer_},
        static_cast<unsigned>(begun_.size()) + 1));
    begun_.back()->start();
    return *begun_.back();
  }

  /// Runs until this holds; fails if it does not within ten minutes.
  void until(const std::function<bool()>& done) {
    const auto cause = executor_.run_until(
        done, {.until = executor_.now() + std::chrono::minutes(10), .most_steps = k_most_steps});
    ASSERT_EQ(cause, sim::StopCause::predicate) << "it never came";
  }
  void pass(Duration time) { executor_.run_for(time); }

  protocol::Response ask(const std::string& target, const char* method = "GET") {
    std::optional<protocol::Response> answer;
    instance_->handle(request(target, method),
                      [&](protocol::Response response) { answer = std::move(response); });
    until([&] { return answer.has_value(); });
    return answer.value_or(protocol::Response{.status = 0, .headers = {}, .body = {}});
  }

  void create_table(const char* name, std::vector<sim::postgres::Column> columns) {
    postgres_.create_table({{"public", name}, std::move(columns)});
  }
  /// A table `items` with the row 1 and no column but its key.
  void create_items() {
    create_table(
        "items",
        {{.name = "id", .type = sim::postgres::TypeId::int8, .not_null = true, .key_position = 1}});
    write({insert("items", {{"id", "1"}})});
  }
  /// One transaction, visible at once.
  void write(const std::vector<sim::postgres::Statement>& statements) {
    const sim::postgres::Session session = postgres_.begin();
    for (const sim::postgres::Statement& statement : statements)
      ASSERT_EQ(postgres_.execute(session, statement).outcome, sim::postgres::ExecuteOutcome::ok)
          << statement.to_sql();
    postgres_.log_commit(session, sim::postgres::Synchronous::on);
    postgres_.show_commit(session);
  }
  static sim::postgres::Statement insert(const char* table,
                                         std::vector<sim::postgres::ColumnText> row) {
    sim::postgres::Statement statement;
    statement.table = {"public", table};
    statement.set = std::move(row);
    return statement;
  }

  runtime::Runtime& runtime() { return instance_->runtime(); }
  /// The process whose path has this as its last part, up to its key; nullopt: there is not just
  /// one.
  std::optional<runtime::ProcessInfo> process(const std::string& role) {
    std::optional<runtime::ProcessInfo> found;
    for (runtime::ProcessInfo& info : runtime().processes()) {
      const std::string last = info.path.substr(info.path.rfind('/' + role) + 1);
      if (info.path.rfind('/' + role) == std::string::npos || !last.starts_with(role + "["))
        continue;
      if (found) return std::nullopt;
      found = std::move(info);
    }
    return found;
  }
  bool reached(Mark mark) const { return marks_.count(mark) > 0; }

  static constexpr std::uint64_t k_most_steps = 50'000'000;

  /// What the engine told of itself: of each event the last, by field.
  struct Events final : observe::EventSink {
    void emit(const observe::Event& event) override {
      auto& fields = last[std::string(event.name)];
      for (const auto& [name, value] : event.fields) fields[std::string(name)] = value;
    }
    std::map<std::string, std::map<std::string, std::string>> last;
  };
  sim::SimulatedExecutor executor_;
  Events events_;
  Marks marks_;
  sim::SimDisk disk_{{.random = executor_.random(), .path = hash64("/disk")}};
  sim::postgres::PostgresModel postgres_{
      {}, sim::postgres::runtime_hooks(executor_.clock(), executor_.random(), {})};
  api::EngineOptions engine_;
  runtime::RuntimeObserver* observer_ = nullptr;  ///< of instances that start from now on
  std::vector<std::unique_ptr<scenarios::Instance>> begun_;  ///< most have ended
  scenarios::Instance* instance_ = nullptr;                  ///< the one that is asked
};

}  // namespace holdfast::stack::test
