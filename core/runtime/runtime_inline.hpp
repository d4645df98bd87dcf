// The templates of runtime.hpp, and Process::spawn, which needs them.
#pragma once

#include <tuple>
#include <utility>

#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {

/// The arguments are moved into the process when its first step constructs it.
template <class P, class... Args>
ProcessFactory Runtime::make_factory(Args&&... args) {
  using Values = std::tuple<std::decay_t<Args>...>;
  const auto values = std::make_shared<Values>(std::forward<Args>(args)...);
  return [values]() -> std::unique_ptr<Process> {
    return std::apply([](auto&... each) { return std::make_unique<P>(std::move(each)...); },
                      *values);
  };
}

template <auto Method, class Target, class... Args>
void Runtime::cast_from_outside(const Target& target, Args&&... args) {
  Signal signal;
  if constexpr (requires { target.text; }) {
    signal.to = whereis(target.text);
  } else {
    signal.to = target.id;
  }
  signal.envelope = handler_detail::make_envelope<Method, Target>(std::forward<Args>(args)...);
  from_outside(std::move(signal));
}

template <class P, class... Args>
Ref<P> Process::spawn(SpawnOptions options, Args&&... args) {
  return {spawn_erased(std::move(options), Runtime::make_factory<P>(std::forward<Args>(args)...))};
}

}  // namespace holdfast::runtime
