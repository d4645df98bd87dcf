// Short stories on a whole engine, told once with a guard and once without it: what the strict
// client of one shape holds in the end, as text. What only one interleaving shows is made to happen
// at the steps that have a name.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/guard_list.hpp"
#include "core/stack/names.hpp"
#include "oracle/client/client_view.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {

inline Guards without(Guard guard) {
  Guards guards = Guards::all();
  guards.switch_off(guard);
  return guards;
}

class Story : public WholeEngine {
 public:
  Story() {
    executor_.on_step([this](const sim::StepInfo& step) {
      for (std::size_t i = 0; i < moments_.size(); ++i)
        if (step.label.text == moments_[i].label) {
          if (--moments_[i].times > 0) continue;
          const auto act = std::move(moments_[i].act);
          moments_.erase(moments_.begin() + static_cast<std::ptrdiff_t>(i));
          return act(step);
        }
    });
  }
  using Act = std::function<void(const sim::StepInfo&)>;
  /// Once, before the n-th step of this label from now on.
  void before(const char* label, Act act, unsigned nth = 1) {
    moments_.push_back({label, nth, std::move(act)});
  }
  static Act kill() {
    return [](const sim::StepInfo& step) { step.instance->kill(step.process); };
  }
  Act stall(Duration duration) {
    return [this, duration](const sim::StepInfo& step) {
      executor_.stall(*step.instance, step.process, duration);
    };
  }
  /// The process of this registered name.
  void stall(const auto& name, Duration duration) {
    executor_.stall(runtime(), runtime().whereis(name.text), duration);
  }
  void restart(const Guards& guards) {
    instance_->kill();
    start(guards);
  }

  /// Tables of whole numbers.
  void create_numbers(const char* table, std::vector<const char*> columns) {
    std::vector<sim::postgres::Column> made;
    for (const char* column : columns)
      made.push_back({.name = column, .type = sim::postgres::TypeId::int8});
    made.front().not_null = true;
    made.front().key_position = 1;
    create_table(table, std::move(made));
  }
  static sim::postgres::Statement item(int id) {
    return insert("items", {{"id", std::to_string(id)}});
  }
  /// Its commit record is written, and streamed; nobody sees it yet.
  sim::postgres::Session write_unseen(
      const sim::postgres::Statement& statement,
      sim::postgres::Synchronous synchronous = sim::postgres::Synchronous::on) {
    const sim::postgres::Session session = postgres_.begin();
    EXPECT_EQ(postgres_.execute(session, statement).outcome, sim::postgres::ExecuteOutcome::ok);
    postgres_.log_commit(session, synchronous);
    return session;
  }
  postgres::Lsn last_commit() const { return postgres_.transactions().back()->commit_lsn; }
  void show(sim::postgres::Session session) { postgres_.show_commit(session); }
  void show_in(Duration delay, sim::postgres::Session session) {
    in(delay, [this, session] { show(session); });
  }
  void in(Duration delay, std::function<void()> happen) {
    executor_.after(delay, "/world", "happens", std::move(happen));
  }

 private:
  struct Moment {
    std::string label;
    unsigned times;
    Act act;
  };
  std::vector<Moment> moments_;
};

/// Follows one shape, and objects to what no log may say.
class Client {
 public:
  /// The first column is the key. `inner_tables`: of the sub-selects in `where`.
  Client(Story& story, const char* table, std::vector<std::string> columns, const char* where = "",
         std::vector<std::string> inner_tables = {})
      : story_(story) {
    shape_.table = table;
    shape_.where = where;
    shape_.all_columns = std::move(columns);
    shape_.key_columns = {shape_.all_columns.front()};
    shape_.inner_tables = std::move(inner_tables);
    view_.emplace(shape_);
  }

  /// Reads until it is up to date. Answers what it holds then, "1 2" or "1=5 2=5", or the first
  /// that is wrong.
  std::string read() {
    while (trouble_.empty()) {
      const protocol::Response answer = story_.ask(target());
      if (answer.status != 200) return std::to_string(answer.status);
      take(answer);
      if (answer.header("electric-up-to-date") != nullptr) break;
    }
    return trouble_.empty() ? rows() : trouble_;
  }
  std::string target() const {
    std::string where;
    for (const char c : shape_.where)
      where += c == ' ' ? "+" : c == '>' ? "%3E" : std::string(1, c);
    return "/v1/shape?table=" + shape_.table + (where.empty() ? "" : "&where=" + where) +
           "&offset=" + offset_ + (handle_.empty() ? "" : "&handle=" + handle_);
  }
  const std::string& handle() const { return handle_; }
  /// The same, and whether it was told that it has everything.
  std::string read_with_claim() {
    const std::string held = read();
    const bool claims = view_->claimed() >= story_.last_commit().value;
    return held + (claims ? ", and claims to be up to date" : "");
  }

 private:
  void take(const protocol::Response& answer) {
    const auto messages = oracle::parse_messages(answer.body);
    if (!messages.ok()) return void(trouble_ = "not messages: " + answer.body);
    const auto from = protocol::LogOffset::parse(offset_);
    offset_ = *answer.header("electric-offset");
    handle_ = *answer.header("electric-handle");
    view_->apply(*messages, *from, *protocol::LogOffset::parse(offset_),
                 [this](const char* property, const std::string&) {
                   if (trouble_.empty()) trouble_ = property;
                 });
  }
  std::string rows() const {
    std::string text;
    for (const auto& [key, row] : view_->rows()) {
      if (!text.empty()) text += ' ';
      for (const std::string& column : shape_.all_columns)
        text += (column == shape_.all_columns.front() ? "" : "=") + row.at(column).value_or("NULL");
    }
    return text;
  }

  Story& story_;
  oracle::ShapeSpec shape_;
  std::string handle_;
  std::string offset_ = "-1";
  std::string trouble_;
  std::optional<oracle::ClientView> view_;
};

/// The table `items` with row 1, and one client who has read it.
class ServedItems : public Story {
 public:
  explicit ServedItems(const Guards& guards,
                       const std::function<void(api::EngineOptions&)>& adjust = {}) {
    if (adjust) adjust(engine_);
    create_items();
    start(guards);
    EXPECT_EQ(client.read(), "1");
  }
  /// What the client holds when all is calm again.
  std::string later() {
    pass(std::chrono::seconds(10));
    return client.read();
  }

  Client client{*this, "items", {"id"}};
};

}  // namespace holdfast::stack::test
