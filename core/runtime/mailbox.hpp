// The messages a process has not yet handled, in order of arrival.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "core/runtime/message.hpp"

namespace holdfast::runtime {

class Mailbox {
 public:
  Mailbox() = default;
  ~Mailbox() { clear(); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  /// REQUIRES: !empty().
  const Envelope& front() const { return *first_; }

  void push(std::unique_ptr<Envelope> envelope) {
    Envelope* const added = envelope.release();
    (first_ == nullptr ? first_ : last_->next) = added;
    last_ = added;
    ++size_;
  }
  std::unique_ptr<Envelope> pop() {
    std::unique_ptr<Envelope> envelope(first_);
    first_ = std::exchange(envelope->next, nullptr);
    --size_;
    return envelope;
  }
  void clear() {
    while (!empty()) pop();
  }

 private:
  Envelope* first_ = nullptr;
  Envelope* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace holdfast::runtime
