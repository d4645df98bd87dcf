// Admission control: how many shape requests may be in progress at once (http-api.md §22). One that
// finds no room is refused before anything else is done for it, so that a crowd of new clients
// costs those that go on nothing. Any thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/base/spin_lock.hpp"

namespace holdfast::api {

/// `existing`: a request that names a live shape; `initial`: any other.
enum class Admission : std::uint8_t { initial, existing };

class AdmissionControl {
 public:
  AdmissionControl(std::uint32_t max_initial, std::uint32_t max_existing);

  /// False: no room.
  bool admit(Admission kind);
  void release(Admission kind);
  /// An initial one becomes an existing one. False: no room, it stays what it is.
  bool reclassify();

 private:
  struct Room {
    std::uint32_t most;
    std::uint32_t taken = 0;
  };
  Room& room(Admission kind) { return kind == Admission::initial ? initial_ : existing_; }

  SpinLock lock_;
  Room initial_;   ///< under lock_
  Room existing_;  ///< under lock_
};

/// One admitted request's place, taken until it is destroyed.
class Permit {
 public:
  /// nullptr: no room.
  static std::shared_ptr<Permit> of(std::shared_ptr<AdmissionControl> control, Admission kind);
  ~Permit();
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  /// The shape is there: from now on the request is one that goes on, if there is room.
  void shape_is_there();

 private:
  Permit(std::shared_ptr<AdmissionControl> control, Admission kind)
      : control_(std::move(control)), kind_(kind) {}

  std::shared_ptr<AdmissionControl> control_;
  Admission kind_;
};

}  // namespace holdfast::api
