// `holdfast-sim kill-table`: for each guard that is off and each mutant that is in, how many
// histories the oracle needs to object, over several ranges of seeds, with which property, and
// whether the same seed passes with everything as it should be. What is found in a row is the same
// on every machine; only the seconds differ.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tools/sim/commands/commands.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/workers/worker_pool.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

/// The first history of a range to which the oracle objects.
struct Objection {
  std::uint64_t seed = 0;
  std::string property;
};

/// One search of a range.
struct Search {
  std::optional<Objection> found;
  std::uint64_t histories = 0;  ///< up to and with the one that was found
  double seconds = 0;
  /// The same seed passes with nothing off and nothing broken, and with any one guard of the cut.
  bool mended_passes = false;
};

struct Row {
  scenarios::Weakening what;
  std::string scenario;
  std::vector<Search> searches;

  bool found_everywhere() const {
    return std::all_of(searches.begin(), searches.end(), [](const Search& search) {
      return search.found.has_value() && search.mended_passes;
    });
  }
};

std::vector<Row> rows_of(const KillTableOptions& options) {
  std::vector<Row> rows;
  for (scenarios::Weakening& one : scenarios::weakenings()) {
    const bool wanted =
        options.names.empty() ||
        std::find(options.names.begin(), options.names.end(), one.name) != options.names.end();
    std::string scenario(options.scenario.empty() ? one.scenario : options.scenario);
    if (wanted) rows.push_back({std::move(one), std::move(scenario), {}});
  }
  return rows;
}

class Searcher {
 public:
  explicit Searcher(const KillTableOptions& options) : options_(options) {}

  Search search(const Row& row, std::uint64_t first_seed) {
    scenario_ = row.scenario;
    const auto begin = steady_clock::now();
    Search result;
    result.found = first_objection(without({row.what.name}), first_seed);
    result.seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
    result.histories = result.found ? result.found->seed - first_seed + 1 : options_.budget;
    if (result.found) result.mended_passes = passes_mended(row.what, result.found->seed);
    return result;
  }

 private:
  static Weakened without(const std::vector<std::string_view>& names) {
    Weakened weakened;
    for (const std::string_view name : names) {
      const bool known = weakened.without(name);
      ASSERT(known, "the table's own names are known");
    }
    return weakened;
  }

  bool passes_mended(const scenarios::Weakening& what, std::uint64_t seed) {
    if (!passes(seed, Weakened{})) return false;
    if (what.members.size() < 2) return true;
    return std::all_of(what.members.begin(), what.members.end(), [&](std::string_view alone) {
      std::vector<std::string_view> others = what.members;
      std::erase(others, alone);
      return passes(seed, without(others));
    });
  }

  std::optional<Objection> first_objection(const Weakened& weakened, std::uint64_t first_seed) {
    std::optional<Objection> best;
    std::set<std::uint64_t> done;  // those above `next` that were run
    std::uint64_t next = first_seed;
    // Goes on until every seed before the best one has been run: then it is the first.
    const auto note = [&](std::uint64_t seed, std::optional<Objection> objection) {
      if (objection && (!best || seed < best->seed)) best = std::move(objection);
      done.insert(seed);
      while (done.erase(next) > 0) ++next;
      return !best || next <= best->seed;
    };
    PoolOptions pool;
    for (std::uint64_t i = 0; i < options_.budget; ++i) pool.seeds.push_back(first_seed + i);
    pool.jobs = jobs();
    pool.run = [&](std::uint64_t seed) { return run(seed, weakened); };
    pool.finished = [&](std::uint64_t seed, const std::string& line) {
      const json violations = json::parse(line).at("violations");
      if (violations.empty()) return note(seed, std::nullopt);
      return note(seed, Objection{seed, violations.front().at("property")});
    };
    pool.crashed = [&](std::uint64_t seed, const std::string& words) {
      return note(seed, Objection{seed, crash_property(words)});
    };
    run_pool(pool);
    return best;
  }

  bool passes(std::uint64_t seed, const Weakened& weakened) {
    bool passed = false;
    PoolOptions pool;
    pool.seeds = {seed};
    pool.run = [&](std::uint64_t s) { return run(s, weakened); };
    pool.finished = [&](std::uint64_t, const std::string& line) {
      passed = json::parse(line).at("violations").empty();
      return true;
    };
    pool.crashed = [](std::uint64_t, const std::string&) { return true; };
    run_pool(pool);
    return passed;
  }

  std::string run(std::uint64_t seed, const Weakened& weakened) {
    return to_json(run_history(scenario_, seed, weakened, false, &reused_)).dump();
  }
  unsigned jobs() const {
    return options_.jobs > 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency());
  }

  const KillTableOptions& options_;
  std::string scenario_;
  scenarios::Reused reused_;  ///< each worker has its own copy
};

template <class T>
T median(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Get>
auto all_of_row(const Row& row, Get get) {
  std::vector<decltype(get(row.searches.front()))> values;
  for (const Search& search : row.searches) values.push_back(get(search));
  return values;
}

std::string properties(const Row& row) {
  std::set<std::string> names;
  for (const Search& search : row.searches)
    if (search.found) names.insert(search.found->property);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

json to_json(const Row& row) {
  const auto histories = all_of_row(row, [](const Search& s) { return s.histories; });
  const auto found = std::count_if(row.searches.begin(), row.searches.end(),
                                   [](const Search& s) { return s.found.has_value(); });
  return {{"name", row.what.name},
          {"kind", row.what.kind},
          {"cut", row.what.members},
          {"failure_mode", row.what.failure_mode},
          {"found", found},
          {"ranges", row.searches.size()},
          {"histories", median(histories)},
          {"histories_worst", *std::max_element(histories.begin(), histories.end())},
          {"seconds", median(all_of_row(row, [](const Search& s) { return s.seconds; }))},
          {"property", properties(row)},
          {"sufficient_alone", row.found_everywhere()}};
}

void print(const Row& row) {
  const json values = to_json(row);
  std::printf("| `%s` | %s | %s | %lld of %zu | %llu | %llu | %.1f | %s |\n",
              std::string(row.what.name).c_str(), std::string(row.what.kind).c_str(),
              std::string(row.what.failure_mode).c_str(),
              static_cast<long long>(values.at("found").get<std::int64_t>()), row.searches.size(),
              static_cast<unsigned long long>(values.at("histories").get<std::uint64_t>()),
              static_cast<unsigned long long>(values.at("histories_worst").get<std::uint64_t>()),
              values.at("seconds").get<double>(), values.at("property").get<std::string>().c_str());
  std::fflush(stdout);
}

}  // namespace

int kill_table(const KillTableOptions& options) {
  const auto known = weakened_by(options.names);
  const auto scenario = check_scenario(options.scenario.empty() ? "mixed" : options.scenario);
  if (!known.ok() || !scenario.ok()) {
    std::fprintf(stderr, "holdfast-sim kill-table: %s\n",
                 (known.ok() ? scenario.error() : known.error()).message.c_str());
    return k_exit_usage;
  }
  std::vector<Row> rows = rows_of(options);
  Searcher searcher(options);
  if (!options.json)
    std::printf(
        "| off or put in | kind | failure mode | found | histories, median | worst | seconds | "
        "property |\n|---|---|---|---|---|---|---|---|\n");
  json list = json::array();
  bool all_found = true;
  for (Row& row : rows) {
    for (std::uint64_t range = 0; range < options.ranges; ++range)
      row.searches.push_back(searcher.search(row, options.start + range * options.budget));
    all_found = all_found && row.found_everywhere();
    list.push_back(to_json(row));
    if (!options.json) print(row);
  }
  if (options.json) std::printf("%s\n", list.dump().c_str());
  return all_found ? k_exit_passed : k_exit_found;
}

}  // namespace holdfast::tools
