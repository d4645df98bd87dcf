// A fiber: a stack of its own on which bodies run one after another, each until it yields or ends.
// The one place that knows context switches, sanitizer annotations and the C++ exception globals.
// A fiber stays on the thread that made it. Nothing here knows processes or schedulers.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace holdfast::runtime {

/// What runs on a fiber. An exception must not leave it.
class FiberBody {
 public:
  virtual void run_on_fiber() noexcept = 0;

 protected:
  ~FiberBody() = default;
};

class Fiber {
 public:
  explicit Fiber(std::size_t stack_size);
  /// REQUIRES: idle(): whatever lay on the stack has been unwound.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Gives an idle fiber its next body; resume() runs it.
  void assign(FiberBody& body);
  /// Runs the body until it yields or ends; idle() tells which. May be called on another fiber.
  void resume();
  bool idle() const { return body_ == nullptr; }
  FiberBody* body() const { return body_; }

  /// Switches from the running fiber to whoever resumed it.
  static void yield();
  /// The fiber that is running on this thread; nullptr outside all fibers.
  static Fiber* current();

 private:
  // The C++ runtime keeps the stack of caught exceptions per thread, a fiber needs its own: two
  // fibers suspended inside `catch` would rethrow each other's exception (design.md §5).
  struct ExceptionGlobals {
    void* caught = nullptr;
    unsigned int uncaught = 0;
    void swap_with_thread();
  };
  struct Switch;  // knows boost's transfer type
  void switch_back();

  char* mapping_ = nullptr;  // guard page, then the stack
  std::size_t mapping_size_ = 0;
  char* stack_bottom_ = nullptr;
  std::size_t stack_size_ = 0;
  void* context_ = nullptr;  // where this fiber goes on
  void* resumer_ = nullptr;  // where whoever resumed it goes on
  FiberBody* body_ = nullptr;
  ExceptionGlobals exceptions_;
  const void* resumer_stack_bottom_ = nullptr;  // for AddressSanitizer
  std::size_t resumer_stack_size_ = 0;
  void* thread_sanitizer_fiber_ = nullptr;
  void* thread_sanitizer_resumer_ = nullptr;
};

/// Keeps idle fibers of one stack size for the next process that has something to do.
class FiberPool {
 public:
  /// Of processes' stacks: 64 KiB, more without optimisation, where frames are several times
  /// larger, and under sanitizers, which put red zones into every one. Only touched pages cost
  /// memory.
  static std::size_t process_stack_size();

  explicit FiberPool(std::size_t stack_size = process_stack_size(), std::size_t most_idle = 256)
      : stack_size_(stack_size), most_idle_(most_idle) {}

  std::unique_ptr<Fiber> acquire();
  /// REQUIRES: fiber->idle().
  void release(std::unique_ptr<Fiber> fiber);
  std::size_t borrowed() const { return borrowed_; }
  std::size_t idle_count() const { return idle_.size(); }

 private:
  std::size_t stack_size_;
  std::size_t most_idle_;
  std::size_t borrowed_ = 0;
  std::vector<std::unique_ptr<Fiber>> idle_;
};

}  // namespace holdfast::runtime
