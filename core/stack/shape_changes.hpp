// ShapeChanges: who waits for which shape. Requests subscribe before they look at the shape again
// (http-api.md §15); whoever makes a shape's log longer, or ends the shape, says so here. While
// another instance writes the store nobody does: then everyone is woken at intervals, to look
// there. When this process dies its subscribers learn it from their monitors and subscribe anew.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/protocol/offset.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

/// A process that can be told that "its" shape moved. It finds out by itself what happened.
class Waiter : public runtime::Process {
 public:
  virtual void wake() = 0;
  /// An attempt to take the snapshot that it may wait for failed, of this; another will follow.
  virtual void snapshot_delayed(std::string why) = 0;
};

class ShapeChanges : public runtime::Process {
 public:
  explicit ShapeChanges(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Until the waiter dies; twice is as once.
  void subscribe(protocol::ShapeHandle handle, runtime::Ref<Waiter> waiter);
  /// The shapes that somebody waits for.
  std::vector<protocol::ShapeHandle> waited_for() const;
  /// Wakes the waiters of these shapes.
  void changed(std::vector<protocol::ShapeHandle> handles);
  /// Tells the waiters of these shapes why their snapshot is not there yet.
  void snapshot_delayed(std::vector<protocol::ShapeHandle> handles, std::string why);
  /// Wakes everyone: the read models were made anew, and what changed meanwhile is not known.
  void all_changed();
  /// From the timer.
  void poll();

 protected:
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  struct Subscription {
    protocol::ShapeHandle handle;
    runtime::Ref<Waiter> waiter;
  };
  Context context_;
  bool polling_ = false;  ///< the timer is set: as long as anyone waits
  std::map<protocol::ShapeHandle, std::map<runtime::Ref<Waiter>, runtime::MonitorRef>> by_handle_;
  std::map<runtime::MonitorRef, Subscription> by_monitor_;
};

}  // namespace holdfast::stack
