// The benchmarks of holdfast-bench (design.md §15), each a function that measures and returns
// figures. Single-threaded; `latency` and `initial_sync` measure a server that runs already.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace holdfast::bench {

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
};
using Figures = std::vector<Figure>;

struct SchedulerOptions {
  std::uint64_t steps = 5'000'000;
};
/// Two processes send one message back and forth in the simulated executor, FIFO: what a step costs
/// before anything is done in it.
Result<Figures> scheduler(const SchedulerOptions& options);

struct HistoryOptions {
  std::string scenario = "reference";
  std::uint64_t first_seed = 1;
  std::uint64_t histories = 100;
};
/// Whole simulated histories, oracle included, one after the other on one core.
Result<Figures> history(const HistoryOptions& options);

struct ServerOptions {
  std::string database_url;
  std::string server_url = "http://127.0.0.1:3000";
};

struct LatencyOptions {
  ServerOptions server;
  std::size_t clients = 1;
  std::size_t commits = 200;
};
/// From the return of COMMIT to the whole answer at the last of `clients` long polls of one shape.
Result<Figures> latency(const LatencyOptions& options);

struct InitialSyncOptions {
  ServerOptions server;
  std::uint64_t rows = 100'000;
};
/// A client reads a shape of `rows` rows until it is up to date: first when the shape does not
/// exist yet, then again.
Result<Figures> initial_sync(const InitialSyncOptions& options);

}  // namespace holdfast::bench
