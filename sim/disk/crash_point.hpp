// Crashes once, right before or right after the k-th operation of a disk: with k running over
// 1 … operations(), every crash point of a short run. Set it as the disk's faults and observer.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "sim/disk/operation.hpp"

namespace holdfast::sim {

enum class CrashMoment : std::uint8_t { before, after };

class CrashPoint final : public DiskFaults, public DiskObserver {
 public:
  /// `crash` cuts the power or kills a mount.
  CrashPoint(std::uint64_t operation, CrashMoment moment, std::function<void()> crash)
      : operation_(operation), moment_(moment), crash_(std::move(crash)) {}

  FaultDecision decide(const Operation& operation) override {
    if (moment_ == CrashMoment::before) strike(operation);
    return {};
  }
  void on_operation(const Operation& operation) override {
    if (moment_ == CrashMoment::after) strike(operation);
  }
  bool struck() const { return struck_; }

 private:
  void strike(const Operation& operation) {
    if (struck_ || operation.number != operation_) return;
    struck_ = true;
    crash_();
  }

  std::uint64_t operation_;
  CrashMoment moment_;
  std::function<void()> crash_;
  bool struck_ = false;
};

}  // namespace holdfast::sim
