#include "scenarios/timeline/recorder.hpp"

#include <algorithm>

#include "core/runtime/process_record.hpp"
#include "core/stack/context.hpp"

namespace holdfast::scenarios::timeline {
namespace {

/// Of an answer's body; more than people read.
constexpr std::size_t k_body_bytes = 1200;

std::string line_of(const protocol::Request& request) {
  std::string line = request.method + " " + request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    line.append(1, separator).append(name).append("=").append(value);
    separator = '&';
  }
  return line;
}

std::string header(const protocol::Response& response, std::string_view name) {
  const std::string* value = response.header(name);
  return value == nullptr ? std::string() : *value;
}

}  // namespace

void Recorder::watch(sim::SimulatedExecutor& executor, const sim::postgres::PostgresModel& postgres,
                     const oracle::Oracle& oracle) {
  executor_ = &executor;
  postgres_ = &postgres;
  oracle_ = &oracle;
  executor.trace().on_step([this](const sim::TraceStep& step) { this->step(step); });
  executor.on_runnable([this](const runtime::Task& task) { runnable(task); });
}

void Recorder::finish() {
  look_at_postgres();
  look_at_oracle();
  executor_ = nullptr;
}

std::vector<oracle::Violation> Recorder::finish_with(const std::string& property,
                                                     std::string what) {
  look_at_postgres();
  look_at_oracle();
  std::vector<oracle::Violation> violations = oracle_->violations();
  violations.push_back({property, std::move(what), {}, executor_->now()});
  recording_.violations.push_back(
      {.step = recording_.steps.empty() ? 0 : recording_.steps.size() - 1,
       .lane = current_lane(),
       .text = text(property)});
  executor_ = nullptr;
  return violations;
}

// -- lanes, texts, steps --------------------------------------------------------------------------

std::uint32_t Recorder::text(std::string_view words) {
  if (words.empty()) return 0;
  const auto found = texts_.find(words);
  if (found != texts_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(recording_.texts.size());
  recording_.texts.emplace_back(words);
  texts_.emplace(words, number);
  return number;
}

void Recorder::show(std::uint32_t lane, const std::string& what) {
  executor_->trace().show(lane == k_no_lane ? std::string_view() : recording_.lanes[lane].path,
                          what);
}

std::uint32_t Recorder::lane(const std::string& path, LaneKind kind) {
  const auto found = lanes_.find(path);
  if (found != lanes_.end()) return found->second;
  const auto number = static_cast<std::uint32_t>(recording_.lanes.size());
  recording_.lanes.push_back({.path = path, .kind = kind, .born = current_step()});
  on_their_way_.emplace_back();
  lanes_.emplace(path, number);
  return number;
}

std::uint32_t Recorder::current_lane() const {
  // While a step runs it is the last one taken; between steps the executor counts one more.
  const bool runs = recording_.steps.size() == executor_->steps() + 1;
  return runs ? recording_.steps.back().lane : k_no_lane;
}

void Recorder::step(const sim::TraceStep& step) {
  if (closed()) return;
  look_at_postgres();
  look_at_oracle();
  recording_.steps.resize(step.step);  // numbers that led to no step
  const std::string path(step.path);
  const LaneKind kind = path.starts_with("/world/") ? LaneKind::world : LaneKind::worker;
  const std::uint32_t number = lane(path, kind);
  recording_.steps.push_back({.lane = number,
                              .label = text(step.label.text),
                              .at = step.at,
                              .decided = step.decision != 0});
  for (const std::size_t arrow : on_their_way_[number])
    recording_.arrows[arrow].to_step = step.step;
  on_their_way_[number].clear();
  first_arrow_ = recording_.arrows.size();
}

// -- messages -------------------------------------------------------------------------------------

void Recorder::point_at(std::uint32_t to, ArrowKind kind, std::string_view label) {
  on_their_way_[to].push_back(recording_.arrows.size());
  recording_.arrows.push_back({.kind = kind,
                               .label = text(label),
                               .from_lane = current_lane(),
                               .from_step = current_step(),
                               .to_lane = to});
}

void Recorder::runnable(const runtime::Task& task) {
  if (closed()) return;
  const std::uint32_t from = current_lane();
  if (from == k_no_lane || task.path() == recording_.lanes[from].path) return;
  const std::uint32_t to = lane(task.path(), LaneKind::worker);
  const bool said =
      std::any_of(recording_.arrows.begin() + static_cast<std::ptrdiff_t>(first_arrow_),
                  recording_.arrows.end(), [&](const Arrow& arrow) { return arrow.to_lane == to; });
  if (!said) point_at(to, ArrowKind::wake, {});
}

void Recorder::queued(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) {
  if (message.timer != 0) in_mailboxes_.erase(&message);  // its address had another message
  if (closed() || message.timer != 0) return;
  const std::string_view label = message.label().text;
  const bool exit = label == "down" || label == "linked_exit" || label == "end";
  const ArrowKind kind = exit ? ArrowKind::exit : message.call ? ArrowKind::call : ArrowKind::cast;
  in_mailboxes_[&message] = recording_.arrows.size();
  recording_.arrows.push_back({.kind = kind,
                               .label = text(label),
                               .from_lane = current_lane(),
                               .from_step = current_step(),
                               .to_lane = lane(receiver.path(), LaneKind::process)});
}

void Recorder::taken(const runtime::ProcessRecord&, const runtime::Envelope& message) {
  const auto found = in_mailboxes_.find(&message);
  if (found == in_mailboxes_.end()) return;
  if (!closed()) recording_.arrows[found->second].to_step = current_step();
  in_mailboxes_.erase(found);
}

void Recorder::answered(const runtime::ProcessRecord& caller, const runtime::ExitReason* failure) {
  if (closed()) return;
  const std::uint32_t to = lane(caller.path(), LaneKind::process);
  if (to == current_lane()) return;  // a call to nobody fails at once
  if (failure == nullptr) return point_at(to, ArrowKind::reply, {});
  point_at(to, ArrowKind::failure, failure->to_string());
}

void Recorder::interrupted(const runtime::ProcessRecord& process,
                           const runtime::ExitReason& reason) {
  if (closed()) return;
  point_at(lane(process.path(), LaneKind::process), ArrowKind::exit, reason.to_string());
}

// -- life and death -------------------------------------------------------------------------------

void Recorder::started(const runtime::ProcessRecord& process) {
  if (closed()) return;
  const std::uint32_t number = lane(process.path(), LaneKind::process);
  if (current_lane() != k_no_lane) point_at(number, ArrowKind::spawn, "spawn");
  show(number, "starts");
}

void Recorder::ended(const runtime::ProcessRecord& process, const runtime::ExitReason& reason) {
  if (closed()) return;
  const std::uint32_t number = lane(process.path(), LaneKind::process);
  recording_.lanes[number].died = current_step();
  recording_.lanes[number].reason = reason.to_string();
  show(number, "ends: " + reason.to_string());
  for (Table& table : recording_.tables)
    if (table.owner == number && table.ended == k_no_step) {
      table.ended = current_step();
      show(number, "table " + table.name + " ends");
    }
}

Table* Recorder::live_table(const std::string& name) {
  const std::uint32_t current = current_lane();
  if (current == k_no_lane) return nullptr;
  const auto root = [this](std::uint32_t number) {
    const std::string_view path = recording_.lanes[number].path;
    return path.substr(0, path.find('/', 1));
  };
  // A client reads the tables of the instance that it asks, so the youngest will do there.
  const bool outside = root(current) == "/world";
  for (auto table = recording_.tables.rbegin(); table != recording_.tables.rend(); ++table)
    if (table->name == name && table->ended == k_no_step &&
        (outside || root(table->owner) == root(current)))
      return &*table;
  return nullptr;
}

void Recorder::read(const Table& table) {
  const std::uint32_t reader = current_lane();
  const bool said = std::any_of(
      recording_.arrows.begin() + static_cast<std::ptrdiff_t>(first_arrow_),
      recording_.arrows.end(), [&](const Arrow& arrow) {
        return arrow.kind == ArrowKind::read && recording_.texts[arrow.label] == table.name;
      });
  if (said || reader == table.owner) return;
  recording_.arrows.push_back({.kind = ArrowKind::read,
                               .label = text(table.name),
                               .from_lane = table.owner,
                               .from_step = table.written,
                               .to_lane = reader,
                               .to_step = current_step()});
}

void Recorder::table_used(const std::string& name, runtime::TableUse use) {
  if (closed() || current_lane() == k_no_lane) return;
  if (use == runtime::TableUse::made || use == runtime::TableUse::made_hidden) {
    recording_.tables.push_back(
        {.name = name, .owner = current_lane(), .written = current_step(), .made = current_step()});
    if (use == runtime::TableUse::made) recording_.tables.back().opened = current_step();
    show(current_lane(),
         "table " + name + (use == runtime::TableUse::made ? " is made" : " is made, hidden"));
    return;
  }
  Table* const table = live_table(name);
  if (table == nullptr) return;
  if (use == runtime::TableUse::read) return read(*table);
  if (use == runtime::TableUse::opened) {
    table->opened = current_step();
    show(table->owner, "table " + name + " opens");
  }
  if (use == runtime::TableUse::ended) table->ended = current_step();
  table->written = current_step();
}

// -- disk, database, clients ----------------------------------------------------------------------

void Recorder::on_operation(const sim::Operation& operation) {
  if (closed()) return;
  const bool sync = operation.kind == sim::OperationKind::sync ||
                    operation.kind == sim::OperationKind::sync_directory;
  // That a file is not there is an answer, not a failure.
  const bool failed = operation.failure && *operation.failure != env::DiskFailure::not_found;
  if (!sync && !failed) return;
  const std::string what =
      std::string(sim::operation_name(operation.kind)) + " " + std::string(operation.path);
  recording_.disk.push_back({.step = current_step(),
                             .lane = current_lane(),
                             .instance = operation.incarnation,
                             .what = text(what),
                             .failed = failed});
  show(current_lane(), "disk: " + what + (failed ? " fails" : ""));
}

void Recorder::look_at_postgres() {
  // What the step before has changed.
  const std::uint64_t when = recording_.steps.empty() ? 0 : recording_.steps.size() - 1;
  const auto all = postgres_->transactions();
  const auto flushed = postgres_->flushed_position();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const sim::postgres::Transaction& seen = *all[i];
    if (i == recording_.transactions.size()) {
      recording_.transactions.push_back({.begun = when});
      if (!recording_.steps.empty()) recording_.transactions[i].lane = recording_.steps.back().lane;
    }
    Transaction& known = recording_.transactions[i];
    if (known.ended != k_no_step || (known.shown != k_no_step && known.flushed != k_no_step))
      if (!seen.dead() || known.ended != k_no_step) continue;
    known.xid = seen.xid.value;
    if (seen.dead()) {
      known.ended = when;
      show(k_no_lane, "transaction " + std::to_string(known.xid) + " is undone");
      continue;
    }
    if (seen.state == sim::postgres::TransactionState::in_progress) continue;
    known.lsn = seen.commit_lsn.value;
    const auto reached = [&](std::uint64_t& at, bool now, const char* what) {
      if (at != k_no_step || !now) return;
      at = when;
      show(k_no_lane, "transaction " + std::to_string(known.xid) + what);
    };
    reached(known.logged, true, " is in the WAL");
    reached(known.flushed, seen.end_lsn <= flushed, " is flushed");
    reached(known.shown, seen.state == sim::postgres::TransactionState::committed, " is visible");
  }
  const auto slot = postgres_->slot(stack::StackOptions{}.slot);
  if (!slot) return;
  const std::uint64_t lsn = slot->confirmed_flush.value;
  if (!recording_.confirmed.empty() && recording_.confirmed.back().lsn == lsn) return;
  recording_.confirmed.push_back({when, lsn});
  show(k_no_lane, "confirmed by the engine: " + std::to_string(lsn));
}

void Recorder::look_at_oracle() {
  const std::uint64_t when = recording_.steps.empty() ? 0 : recording_.steps.size() - 1;
  const auto& violations = oracle_->violations();
  while (recording_.violations.size() < violations.size()) {
    const oracle::Violation& one = violations[recording_.violations.size()];
    show(k_no_lane, "VIOLATED " + one.property + ": " + one.what);
    const auto client = lanes_.find("/world/client[" + one.client + "]");
    recording_.violations.push_back({.step = when,
                                     .lane = client == lanes_.end() ? k_no_lane : client->second,
                                     .text = text(one.property)});
  }
}

void Recorder::asked(const std::string& client, const protocol::Request& request) {
  if (closed()) return;
  const std::uint32_t number = lane("/world/client[" + client + "]", LaneKind::process);
  open_requests_[number] = recording_.requests.size();
  recording_.requests.push_back(
      {.lane = number, .sent = current_step(), .asked = line_of(request)});
}

void Recorder::answered(const oracle::Exchange& exchange) {
  if (closed()) return;
  const auto open =
      open_requests_.find(lane("/world/client[" + exchange.client + "]", LaneKind::process));
  if (open == open_requests_.end()) return;
  Request& request = recording_.requests[open->second];
  open_requests_.erase(open);
  request.shape = text(exchange.spec->name);
  request.answered = current_step();
  if (!exchange.response) return;
  request.status = exchange.response->status;
  request.handle = text(header(*exchange.response, "electric-handle"));
  request.offset = header(*exchange.response, "electric-offset");
  request.up_to_date = exchange.response->header("electric-up-to-date") != nullptr;
  request.body = exchange.response->body.substr(0, k_body_bytes);
}

void Recorder::committed(std::uint64_t xid, const std::string& statements) {
  if (closed() || xid == 0) return;
  for (auto one = recording_.transactions.rbegin(); one != recording_.transactions.rend(); ++one)
    if (one->xid == xid) {
      one->statements = statements;
      return;
    }
}

void Recorder::note(const std::string& words) {
  if (closed()) return;
  recording_.notes.push_back({.step = current_step(), .lane = current_lane(), .text = text(words)});
}

}  // namespace holdfast::scenarios::timeline
