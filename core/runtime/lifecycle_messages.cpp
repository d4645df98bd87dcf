#include "core/runtime/lifecycle_messages.hpp"

#include <utility>

#include "core/runtime/process_record.hpp"

namespace holdfast::runtime {

class LifecycleMessages::Down final : public Envelope {
 public:
  Down(MonitorRef monitor, ProcessId ended, ExitReason reason)
      : monitor_(monitor), ended_(ended), reason_(std::move(reason)) {}
  void handle(Process& receiver) override {
    if (receiver.record_->monitors.erase(monitor_) == 0) return;  // taken back meanwhile
    receiver.on_down(monitor_, ended_, reason_);
  }
  Label label() const override { return Label::of("down"); }

 private:
  MonitorRef monitor_;
  ProcessId ended_;
  ExitReason reason_;
};

class LifecycleMessages::LinkedExit final : public Envelope {
 public:
  LinkedExit(ProcessId ended, ExitReason reason) : ended_(ended), reason_(std::move(reason)) {}
  void handle(Process& receiver) override {
    if (receiver.record_->links.erase(ended_) == 0) return;  // unlinked meanwhile
    receiver.on_linked_exit(ended_, reason_);
  }
  Label label() const override { return Label::of("linked_exit"); }

 private:
  ProcessId ended_;
  ExitReason reason_;
};

class LifecycleMessages::End final : public Envelope {
 public:
  explicit End(ExitReason reason) : reason_(std::move(reason)) {}
  void handle(Process&) override { throw ExitRequest{reason_}; }
  Label label() const override { return Label::of("end"); }

 private:
  ExitReason reason_;
};

std::unique_ptr<Envelope> LifecycleMessages::down(MonitorRef monitor, ProcessId ended,
                                                  ExitReason reason) {
  return std::make_unique<Down>(monitor, ended, std::move(reason));
}

std::unique_ptr<Envelope> LifecycleMessages::linked_exit(ProcessId ended, ExitReason reason) {
  return std::make_unique<LinkedExit>(ended, std::move(reason));
}

std::unique_ptr<Envelope> LifecycleMessages::end(ExitReason reason) {
  return std::make_unique<End>(std::move(reason));
}

}  // namespace holdfast::runtime
