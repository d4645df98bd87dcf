// The trace of a run: a rolling 128-bit hash over every step, checkpoints to find the first step in
// which two runs differ, and the last steps as text for whoever reads a failure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/time.hpp"
#include "core/runtime/label.hpp"

namespace holdfast::sim {

struct TraceStep {
  std::uint64_t step = 0;
  std::string_view path;
  std::uint64_t path_hash = 0;
  runtime::Label label;
  Instant at;
  std::uint64_t decision = 0;  ///< how the strategy chose: 0 for what FIFO would have run
};

class Trace {
 public:
  static constexpr std::uint64_t k_checkpoint_interval = 1024;
  using Sink = std::function<void(const std::string& line)>;

  explicit Trace(std::size_t ring_size = 256) : ring_(ring_size) {}
  /// Every step as a line of text, also those that are no step (note()). Costs time.
  void set_sink(Sink sink) { sink_ = std::move(sink); }
  /// Told of every step as it begins. Costs time.
  void on_step(std::function<void(const TraceStep&)> observer) { on_step_ = std::move(observer); }
  /// Keeps a hash for every step, so that first_difference() names the exact one.
  void keep_every_step() { keep_every_step_ = true; }

  void add(const TraceStep& step);
  /// A line for whoever watches the run now; not kept.
  void show(std::string_view lane, std::string_view what) {
    if (sink_) sink_(line(lane, what));
  }
  /// A line for people that is no part of the hash.
  void note(std::string text);

  Hash128 hash() const { return rolling_.value(); }
  std::uint64_t steps() const { return steps_; }
  const std::vector<Hash128>& checkpoints() const { return checkpoints_; }
  const std::vector<Hash128>& every_step() const { return every_step_; }
  /// The last steps, oldest first.
  std::vector<std::string> last_lines() const;

  /// Columns of fixed width: step, seconds of virtual time, `*` where the schedule decided against
  /// FIFO, lane, and what it does.
  static std::string line(const TraceStep& step);
  /// The same without a step of its own: something that happened in the step above.
  static std::string line(std::string_view lane, std::string_view what);
  /// Begins lines that are no steps.
  static constexpr std::string_view k_no_step = "                            ";

 private:
  struct Remembered {
    std::uint64_t step = 0;
    std::string path;  ///< of a note: its text
    std::string_view label;
    Instant at;
    std::uint64_t decision = 0;
    bool note = false;
  };
  void remember(const TraceStep& step);

  RollingHash rolling_;
  std::uint64_t steps_ = 0;
  std::vector<Hash128> checkpoints_;  ///< [i]: the hash before step i * k_checkpoint_interval
  std::vector<Hash128> every_step_;   ///< [i]: the hash after step i
  std::vector<Remembered> ring_;
  std::size_t ring_next_ = 0;
  bool keep_every_step_ = false;
  Sink sink_;
  std::function<void(const TraceStep&)> on_step_;
};

/// The range of steps [first, second) in which two runs first differ: one step wide if both kept
/// every step, else one checkpoint interval. nullopt: they are equal.
std::optional<std::pair<std::uint64_t, std::uint64_t>> first_difference(const Trace& a,
                                                                        const Trace& b);

}  // namespace holdfast::sim
