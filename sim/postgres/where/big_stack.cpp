#include "sim/postgres/where/big_stack.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "core/base/assert.hpp"
#include "core/base/sanitizers.hpp"

#ifdef HOLDFAST_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace holdfast::sim::postgres {
namespace {

constexpr std::size_t k_stack_bytes = 1U << 20U;

/// Tells AddressSanitizer about the two switches; empty in other builds.
struct SwitchNotes {
#ifdef HOLDFAST_ASAN
  void* caller_fake_stack = nullptr;
  const void* caller_bottom = nullptr;
  std::size_t caller_size = 0;
  void leave_caller(const void* bottom, std::size_t size) {
    __sanitizer_start_switch_fiber(&caller_fake_stack, bottom, size);
  }
  void enter_big() {
    __sanitizer_finish_switch_fiber(nullptr, &caller_bottom, &caller_size);
  }
  void leave_big() {
    __sanitizer_start_switch_fiber(nullptr, caller_bottom, caller_size);
  }
  void enter_caller() {
    __sanitizer_finish_switch_fiber(caller_fake_stack, nullptr, nullptr);
  }
#else
  void leave_caller(const void*, std::size_t) {}
  void enter_big() {}
  void leave_big() {}
  void enter_caller() {}
#endif
};

/// Leaves the memory to its owner.
struct LentStack {
  boost::context::stack_context context;
  boost::context::stack_context allocate() { return context; }
  void deallocate(boost::context::stack_context& stack) {
#ifdef HOLDFAST_ASAN
    // The outermost frames never return; what runs or is mapped here next must not inherit their
    // red zones.
    __asan_unpoison_memory_region(static_cast<const char*>(stack.sp) - stack.size, stack.size);
#else
    static_cast<void>(stack);
#endif
  }
};

}  // namespace

struct BigStack::Memory {
  Memory() : context(allocator.allocate()) {}
  ~Memory() { allocator.deallocate(context); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  boost::context::protected_fixedsize_stack allocator{k_stack_bytes};
  boost::context::stack_context context;
};

BigStack::BigStack() = default;
BigStack::~BigStack() = default;

void BigStack::run(const std::function<void()>& work) {
  ASSERT(!busy_, "there is one big stack, and what runs on it needs no second one");
  busy_ = true;
  if (!memory_) memory_ = std::make_unique<Memory>();
  const boost::context::stack_context& stack = memory_->context;
  SwitchNotes notes;
  {
    boost::context::fiber big(std::allocator_arg, LentStack{stack},
                              [&](boost::context::fiber&& caller) {
                                notes.enter_big();
                                work();
                                notes.leave_big();
                                return std::move(caller);
                              });
    notes.leave_caller(static_cast<const char*>(stack.sp) - stack.size, stack.size);
    big = std::move(big).resume();
    notes.enter_caller();
  }
  busy_ = false;
}

}  // namespace holdfast::sim::postgres
