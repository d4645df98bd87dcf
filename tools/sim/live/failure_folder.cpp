#include "tools/sim/live/failure_folder.hpp"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/sim/build_identity.hpp"
#include "tools/sim/live/http_client.hpp"
#include "tools/sim/shell.hpp"
#include "tools/sim/subject.hpp"

namespace holdfast::tools::live {
namespace {

using nlohmann::ordered_json;

std::ofstream open(const LiveSetting& setting, const char* name) {
  std::ofstream file(setting.folder / name);
  if (!file) throw std::runtime_error((setting.folder / name).string() + " cannot be written");
  return file;
}

double seconds(Instant at) {
  return std::chrono::duration<double>(at.since_start).count();
}

std::string stamp(Instant at) {
  char text[32];
  std::snprintf(text, sizeof text, "%10.4f  ", seconds(at));
  return text;
}

/// Bodies may hold any bytes; a file is UTF-8.
void write_line(std::ostream& out, const ordered_json& line) {
  out << line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

void write_requests(std::ostream& out, const scenarios::Plan& plan, const Recording& recording) {
  for (const RecordedAnswer& answer : recording.answers) {
    const scenarios::PlannedClient& client = plan.clients[answer.client];
    ordered_json line = {{"client", "c" + std::to_string(client.number)},
                         {"shape", plan.specs[client.spec].name},
                         {"begins_afresh", answer.begins_afresh},
                         {"server", answer.server},
                         {"sent", seconds(answer.sent)},
                         {"answered", seconds(answer.answered)},
                         {"request", target_of(answer.request)},
                         {"status", nullptr}};
    if (answer.response) {
      line["status"] = answer.response->status;
      for (const auto& [name, value] : answer.response->headers) line["headers"][name] = value;
      line["body"] = answer.response->body;
    } else {
      line["broken"] = answer.overdue ? "no answer in time" : "connection broken or refused";
    }
    write_line(out, line);
  }
}

void write_transactions(std::ostream& out, const scenarios::Plan& plan,
                        const Recording& recording) {
  for (const RecordedTransaction& done : recording.transactions) {
    const scenarios::PlannedTransaction& planned = plan.transactions[done.number];
    ordered_json line = {{"transaction", done.number},
                         {"writer", planned.writer},
                         {"synchronous", planned.synchronous == sim::postgres::Synchronous::on},
                         {"began", seconds(done.began)},
                         {"ended", seconds(done.ended)},
                         {"outcome", done.outcome}};
    for (const auto& statement : planned.statements)
      line["statements"].push_back(statement.to_sql());
    write_line(out, line);
  }
}

void write_readme(std::ostream& out, const LiveReport& report, const LiveSetting& setting) {
  out << "holdfast-sim live, seed " << report.seed << ", " << build_identity() << "\n\n";
  if (!report.failed()) out << "Nothing was found.\n";
  for (const oracle::Violation& violation : report.judgement.violations)
    out << stamp(violation.at) << violation.property << "\n            "
        << (violation.client.empty() ? "" : violation.client + ": ") << violation.what << "\n";
  out << "\nAgain (the same plan; real time never takes the same course twice):\n  "
      << live_command(report.seed, setting)
      << "\nThe same plan in the simulated world, from within this folder:\n"
         "  holdfast-sim replay plan.json"
      << "\n\nTimes are seconds since the run's start.\n"
         "  events.txt          restarts, signals, violations\n"
         "  requests.jsonl      every request with its answer, in order of answers\n"
         "  transactions.jsonl  what the writers did\n"
         "  history.jsonl       what it made of each row, by key and commit LSN\n"
         "  plan.json           everything that was planned\n"
         "  server-N.log        the servers' logs, in order of start\n"
         "  storage/            their storage directory, as it was left\n"
      << (setting.postgres_log.empty() ? "Postgres' log is with its server.\n"
                                       : "  postgres.log        Postgres' log\n");
}

}  // namespace

std::string live_command(std::uint64_t seed, const LiveSetting& setting) {
  const scenarios::LiveSize& size = setting.size;
  std::string command = "holdfast-sim live --runs 1 --start " + std::to_string(seed) +
                        " --scenario " + std::string(size.scenario->name) + " --shapes " +
                        std::to_string(size.shapes) + " --batches " + std::to_string(size.batches) +
                        " --restart-every " + std::to_string(size.restart_every) + " --restarts ";
  for (std::size_t i = 0; i < size.kinds.size(); ++i)
    command += (i == 0 ? "" : ",") + std::string(scenarios::name_of(size.kinds[i]));
  return command;
}

void write_evidence(const scenarios::Plan& plan, const LiveReport& report, const SqlTruth& truth,
                    const LiveSetting& setting) {
  scenarios::Repro repro;
  repro.about = "a plan of live mode";
  repro.build = build_identity();
  repro.plan = plan;
  if (const auto written = write_repro(repro, (setting.folder / "plan.json").string());
      !written.ok())
    throw std::runtime_error(written.error().message);
  auto requests = open(setting, "requests.jsonl");
  write_requests(requests, plan, report.recording);
  auto transactions = open(setting, "transactions.jsonl");
  write_transactions(transactions, plan, report.recording);
  auto history = open(setting, "history.jsonl");
  truth.write_down(history);
  auto events = open(setting, "events.txt");
  for (const RecordedEvent& event : report.recording.events)
    events << stamp(event.at) << event.what << "\n";
  auto readme = open(setting, "README.txt");
  write_readme(readme, report, setting);
  if (!setting.postgres_log.empty()) {
    auto log = open(setting, "postgres.log");
    log << std::ifstream(setting.postgres_log).rdbuf();
  }
}

}  // namespace holdfast::tools::live
