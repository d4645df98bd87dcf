#include "core/runtime/fibers/fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstring>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/sanitizers.hpp"

#ifdef HOLDFAST_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HOLDFAST_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace holdfast::runtime {
namespace {

namespace context = boost::context::detail;

// Which fiber this thread is on: a fact about the machine, not engine state.
thread_local Fiber* running_fiber = nullptr;

void announce_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                     [[maybe_unused]] std::size_t size, [[maybe_unused]] void* tsan_fiber) {
#ifdef HOLDFAST_ASAN
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
#ifdef HOLDFAST_TSAN
  __tsan_switch_to_fiber(tsan_fiber, 0);
#endif
}

void announce_arrival([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
                      [[maybe_unused]] std::size_t* old_size) {
#ifdef HOLDFAST_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_size);
#endif
}

}  // namespace

struct Fiber::Switch {
  static void entry(context::transfer_t from) {
    Fiber* const self = static_cast<Fiber*>(from.data);
    announce_arrival(nullptr, &self->resumer_stack_bottom_, &self->resumer_stack_size_);
    self->resumer_ = from.fctx;
    for (;;) {
      self->body_->run_on_fiber();
      self->body_ = nullptr;
      self->switch_back();
    }
  }
};

Fiber::Fiber(std::size_t stack_size) : stack_size_(stack_size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  ASSERT(stack_size % page == 0, "a stack is a whole number of pages");
  mapping_size_ = stack_size + page;
  void* const memory = mmap(nullptr, mapping_size_, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  ASSERT(memory != MAP_FAILED, "the machine has room for another fiber's stack");
  mapping_ = static_cast<char*>(memory);
  const int guarded = mprotect(mapping_, page, PROT_NONE);
  ASSERT(guarded == 0, "the guard page below a stack can be protected");
  stack_bottom_ = mapping_ + page;
  context_ = context::make_fcontext(stack_bottom_ + stack_size, stack_size, &Switch::entry);
#ifdef HOLDFAST_TSAN
  thread_sanitizer_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
  ASSERT(idle(), "a fiber is destroyed only after its body has ended");
#ifdef HOLDFAST_ASAN
  __asan_unpoison_memory_region(stack_bottom_, stack_size_);
#endif
#ifdef HOLDFAST_TSAN
  __tsan_destroy_fiber(thread_sanitizer_fiber_);
#endif
  munmap(mapping_, mapping_size_);
}

void Fiber::ExceptionGlobals::swap_with_thread() {
  // The Itanium C++ ABI fixes these two members; <cxxabi.h> leaves the type opaque.
  void* const globals = abi::__cxa_get_globals();
  ExceptionGlobals of_thread;
  std::memcpy(&of_thread.caught, globals, sizeof(void*));
  std::memcpy(&of_thread.uncaught, static_cast<char*>(globals) + sizeof(void*),
              sizeof(unsigned int));
  std::memcpy(globals, &caught, sizeof(void*));
  std::memcpy(static_cast<char*>(globals) + sizeof(void*), &uncaught, sizeof(unsigned int));
  *this = of_thread;
}

void Fiber::assign(FiberBody& body) {
  ASSERT(idle(), "a fiber runs one body at a time");
  body_ = &body;
}

void Fiber::resume() {
  ASSERT(body_ != nullptr, "only a fiber with a body is resumed");
  Fiber* const resumer = std::exchange(running_fiber, this);
  ASSERT(resumer != this, "a running fiber is not resumed again");
  exceptions_.swap_with_thread();
  void* fake_stack = nullptr;
#ifdef HOLDFAST_TSAN
  thread_sanitizer_resumer_ = __tsan_get_current_fiber();
#endif
  announce_switch(&fake_stack, stack_bottom_, stack_size_, thread_sanitizer_fiber_);
  const context::transfer_t back = context::jump_fcontext(context_, this);
  announce_arrival(fake_stack, nullptr, nullptr);
  context_ = back.fctx;
  exceptions_.swap_with_thread();
  running_fiber = resumer;
}

void Fiber::switch_back() {
  void* fake_stack = nullptr;
  announce_switch(&fake_stack, resumer_stack_bottom_, resumer_stack_size_,
                  thread_sanitizer_resumer_);
  const context::transfer_t again = context::jump_fcontext(resumer_, nullptr);
  announce_arrival(fake_stack, &resumer_stack_bottom_, &resumer_stack_size_);
  resumer_ = again.fctx;
}

void Fiber::yield() {
  ASSERT(running_fiber != nullptr, "only a fiber yields");
  running_fiber->switch_back();
}

Fiber* Fiber::current() {
  return running_fiber;
}

std::size_t FiberPool::process_stack_size() {
#if defined(HOLDFAST_ASAN) || defined(HOLDFAST_TSAN) || !defined(__OPTIMIZE__)
  return 256 * 1024;
#else
  return 64 * 1024;
#endif
}

std::unique_ptr<Fiber> FiberPool::acquire() {
  ++borrowed_;
  if (idle_.empty()) return std::make_unique<Fiber>(stack_size_);
  std::unique_ptr<Fiber> fiber = std::move(idle_.back());
  idle_.pop_back();
  return fiber;
}

void FiberPool::release(std::unique_ptr<Fiber> fiber) {
  ASSERT(fiber->idle(), "only a fiber whose body has ended goes back to the pool");
  --borrowed_;
  if (idle_.size() < most_idle_) idle_.push_back(std::move(fiber));
}

}  // namespace holdfast::runtime
