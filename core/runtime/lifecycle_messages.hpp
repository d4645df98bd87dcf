// The messages that the runtime itself puts into mailboxes: Down, a linked process's end for one
// that traps exits, and the request to end in order.
#pragma once

#include <memory>

#include "core/runtime/message.hpp"
#include "core/runtime/process.hpp"

namespace holdfast::runtime {

struct LifecycleMessages {
  static std::unique_ptr<Envelope> down(MonitorRef, ProcessId ended, ExitReason);
  static std::unique_ptr<Envelope> linked_exit(ProcessId ended, ExitReason);
  static std::unique_ptr<Envelope> end(ExitReason);

 private:
  class Down;
  class LinkedExit;
  class End;
};

}  // namespace holdfast::runtime
