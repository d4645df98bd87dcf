#include "sim/trace.hpp"

#include <algorithm>
#include <cstdio>

namespace holdfast::sim {

namespace {

/// A lane in its column: where it is too long, its end says more than its beginning.
std::string column(std::string_view path) {
  constexpr std::size_t k_width = 44;
  std::string text(path);
  if (text.size() > k_width) text = ".." + text.substr(text.size() - k_width + 2);
  text.resize(k_width, ' ');
  return text;
}

}  // namespace

void Trace::add(const TraceStep& step) {
  if (steps_ % k_checkpoint_interval == 0) checkpoints_.push_back(rolling_.value());
  ++steps_;
  rolling_.add(step.path_hash);
  rolling_.add(step.label.hash);
  rolling_.add(static_cast<std::uint64_t>(step.at.since_start.count()));
  rolling_.add(step.decision);
  if (keep_every_step_) every_step_.push_back(rolling_.value());
  if (!ring_.empty()) remember(step);
  if (on_step_) on_step_(step);  // first: it may still have something to say of the step before
  if (sink_) sink_(line(step));
}

void Trace::remember(const TraceStep& step) {
  Remembered& slot = ring_[ring_next_];
  ring_next_ = ring_next_ + 1 == ring_.size() ? 0 : ring_next_ + 1;
  slot.step = step.step;
  slot.path.assign(step.path);  // its storage is reused
  slot.label = step.label.text;
  slot.at = step.at;
  slot.decision = step.decision;
  slot.note = false;
}

void Trace::note(std::string text) {
  if (sink_) sink_(line({}, text));
  if (ring_.empty()) return;
  Remembered& slot = ring_[ring_next_];
  ring_next_ = ring_next_ + 1 == ring_.size() ? 0 : ring_next_ + 1;
  slot = {};
  slot.path = std::move(text);
  slot.note = true;
}

std::string Trace::line(const TraceStep& step) {
  char head[64];
  std::snprintf(head, sizeof head, "%10llu %14.6f %c ", static_cast<unsigned long long>(step.step),
                static_cast<double>(step.at.since_start.count()) / 1e9,
                step.decision == 0 ? ' ' : '*');
  return head + column(step.path) + " " + std::string(step.label.text);
}

std::string Trace::line(std::string_view lane, std::string_view what) {
  std::string text(k_no_step);
  text.append(column(lane)).append("   ");
  for (const char c : what) text.push_back(static_cast<unsigned char>(c) < 32 ? ' ' : c);
  return text;
}

std::vector<std::string> Trace::last_lines() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const Remembered& slot = ring_[(ring_next_ + i) % ring_.size()];
    if (slot.path.empty()) continue;
    if (slot.note) {
      lines.push_back(line({}, slot.path));
    } else {
      lines.push_back(line({.step = slot.step,
                            .path = slot.path,
                            .path_hash = 0,
                            .label = {slot.label, 0},
                            .at = slot.at,
                            .decision = slot.decision}));
    }
  }
  return lines;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> first_difference(const Trace& a,
                                                                        const Trace& b) {
  if (a.steps() == b.steps() && a.hash() == b.hash()) return std::nullopt;
  const std::uint64_t common = std::min(a.steps(), b.steps());
  const std::size_t both = std::min(a.every_step().size(), b.every_step().size());
  if (both > 0 || common == 0) {
    for (std::size_t i = 0; i < both; ++i)
      if (a.every_step()[i] != b.every_step()[i]) return std::pair{i, i + 1};
    return std::pair{common, common + 1};
  }
  const std::size_t checkpoints = std::min(a.checkpoints().size(), b.checkpoints().size());
  std::uint64_t last_equal = 0;
  for (std::size_t i = 0; i < checkpoints && a.checkpoints()[i] == b.checkpoints()[i]; ++i)
    last_equal = i * Trace::k_checkpoint_interval;
  return std::pair{last_equal, last_equal + Trace::k_checkpoint_interval};
}

}  // namespace holdfast::sim
