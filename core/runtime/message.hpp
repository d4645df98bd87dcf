// Messages in flight: an Envelope holds one call of a handler with its arguments. Reply<R> is the
// right, and the duty, to answer one call later.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/runtime/exit_reason.hpp"
#include "core/runtime/label.hpp"
#include "core/runtime/process_id.hpp"

namespace holdfast::runtime {

class Process;
struct ProcessRecord;

/// A reply on its way back.
class ReplyBox {
 public:
  virtual ~ReplyBox() = default;
};

template <class R>
class TypedReply final : public ReplyBox {
 public:
  explicit TypedReply(R reply) : value(std::move(reply)) {}
  R value;
};

template <>
class TypedReply<void> final : public ReplyBox {};

/// A call that waits for its reply, known to the callee from the message's arrival to the reply, so
/// that the callee's death answers it.
struct PendingCall {
  ProcessId caller;
  std::uint64_t call_id = 0;
  ProcessRecord* callee = nullptr;  ///< set at arrival, unset by the callee's death
  PendingCall* previous = nullptr;
  PendingCall* next = nullptr;
};

/// Owns a PendingCall. Dropped unanswered while its process lives, it answers
/// crash{"reply_dropped"} when the running handler has returned.
class CallHandle {
 public:
  CallHandle() = default;
  CallHandle(ProcessId caller, std::uint64_t call_id);
  CallHandle(CallHandle&& other) noexcept : call_(std::move(other.call_)) {}
  CallHandle& operator=(CallHandle&& other) noexcept;
  ~CallHandle() { drop(); }

  explicit operator bool() const { return call_ != nullptr; }
  ProcessId caller() const { return call_->caller; }
  std::uint64_t call_id() const { return call_->call_id; }
  void attach(ProcessRecord& callee);
  /// REQUIRES: on the callee's fiber. Without a call (the handler was cast to) nothing happens.
  void answer(std::unique_ptr<ReplyBox> reply);
  /// Gives up the duty to answer: somebody else does.
  void forget();

 private:
  void drop() noexcept;
  std::unique_ptr<PendingCall> call_;
};

/// The first parameter of a handler that answers later. Movable, may be stored in the process;
/// stays inside the process that was called.
template <class R>
class Reply {
 public:
  explicit Reply(CallHandle call) : call_(std::move(call)) {}
  /// False: already sent, or the handler was cast to.
  bool wanted() const { return static_cast<bool>(call_); }

  template <class V = R>
  requires(!std::is_void_v<R>) void send(V&& value) {
    call_.answer(std::make_unique<TypedReply<R>>(R(std::forward<V>(value))));
  }
  void send() requires(std::is_void_v<R>) { call_.answer(std::make_unique<TypedReply<void>>()); }

 private:
  CallHandle call_;
};

/// One message in a mailbox.
class Envelope {
 public:
  virtual ~Envelope() = default;
  Envelope() = default;
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  /// On the receiver's fiber.
  virtual void handle(Process& receiver) = 0;
  virtual Label label() const = 0;

  ProcessId from;
  CallHandle call;           ///< empty for casts
  std::uint64_t timer = 0;   ///< the TimerRef it stands for, or 0
  Envelope* next = nullptr;  ///< in the mailbox
};

}  // namespace holdfast::runtime
