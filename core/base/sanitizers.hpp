// Which sanitizer this build has, the same for GCC and Clang: HOLDFAST_ASAN (AddressSanitizer, with
// it LeakSanitizer) and HOLDFAST_TSAN. For code that switches stacks or leaves by _exit; nothing
// that a history may observe depends on them.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define HOLDFAST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOLDFAST_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define HOLDFAST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HOLDFAST_TSAN 1
#endif
#endif
