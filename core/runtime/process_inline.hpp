// The typed half of process.hpp: which handler a member pointer names, what its arguments and reply
// are, and the envelope that carries one call of it.
#pragma once

#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "core/runtime/process.hpp"

namespace holdfast::runtime {
namespace handler_detail {

template <class T>
struct IsReply : std::false_type {};
template <class R>
struct IsReply<Reply<R>> : std::true_type {
  using Value = R;
};

template <class Class, class Result, class... Params>
struct Signature {
  static constexpr bool k_deferred = false;
  using Owner = Class;
  using Value = Result;
  using Arguments = std::tuple<std::decay_t<Params>...>;
};
template <class Class, class R, class... Params>
struct Signature<Class, void, Reply<R>, Params...> {
  static constexpr bool k_deferred = true;
  using Owner = Class;
  using Value = R;
  using Arguments = std::tuple<std::decay_t<Params>...>;
};

template <class Method>
struct Handler;
template <class Class, class Result, class... Params>
struct Handler<Result (Class::*)(Params...)> : Signature<Class, Result, Params...> {};
template <class Class, class Result, class... Params>
struct Handler<Result (Class::*)(Params...) const> : Signature<Class, Result, Params...> {};

template <class Target>
struct ProcessOf;
template <class P>
struct ProcessOf<Ref<P>> {
  using Type = P;
};
template <class P>
struct ProcessOf<Name<P>> {
  using Type = P;
};

template <auto Method>
class MethodEnvelope final : public Envelope {
 public:
  using Traits = Handler<decltype(Method)>;
  using Owner = typename Traits::Owner;
  using Value = typename Traits::Value;
  static_assert(std::is_base_of_v<Process, Owner>, "a handler is a member of a Process");

  template <class... Args>
  explicit MethodEnvelope(Args&&... args) : arguments_(std::forward<Args>(args)...) {}

  void handle(Process& receiver) override {
    ASSERT(typeid(receiver) == typeid(Owner) || dynamic_cast<Owner*>(&receiver) != nullptr,
           "the receiver has the type its Ref or Name claimed");
    std::apply([&](auto&... args) { invoke(static_cast<Owner&>(receiver), args...); }, arguments_);
  }
  Label label() const override { return k_label_of<Method>; }

 private:
  template <class... Values>
  void invoke(Owner& owner, Values&... values) {
    if constexpr (Traits::k_deferred) {
      (owner.*Method)(Reply<Value>(std::move(call)), std::move(values)...);
    } else if constexpr (std::is_void_v<Value>) {
      (owner.*Method)(std::move(values)...);
      call.answer(std::make_unique<TypedReply<void>>());
    } else if (call) {
      call.answer(
          std::make_unique<TypedReply<std::decay_t<Value>>>((owner.*Method)(std::move(values)...)));
    } else {
      static_cast<void>((owner.*Method)(std::move(values)...));
    }
  }

  typename Traits::Arguments arguments_;
};

template <auto Method, class Target, class... Args>
std::unique_ptr<Envelope> make_envelope(Args&&... args) {
  using Owner = typename MethodEnvelope<Method>::Owner;
  static_assert(std::is_base_of_v<Owner, typename ProcessOf<Target>::Type>,
                "the target has the handler");
  return std::make_unique<MethodEnvelope<Method>>(std::forward<Args>(args)...);
}

}  // namespace handler_detail

template <auto Method, class Target, class... Args>
auto Process::call_within(Duration timeout, const Target& target, Args&&... args) {
  using Value = std::decay_t<typename handler_detail::MethodEnvelope<Method>::Value>;
  const std::unique_ptr<ReplyBox> reply = call_erased(
      resolve(target), handler_detail::make_envelope<Method, Target>(std::forward<Args>(args)...),
      timeout);
  if constexpr (!std::is_void_v<Value>)
    return std::move(static_cast<TypedReply<Value>&>(*reply).value);
}

template <auto Method, class Target, class... Args>
void Process::cast(const Target& target, Args&&... args) {
  cast_erased(resolve(target),
              handler_detail::make_envelope<Method, Target>(std::forward<Args>(args)...));
}

template <auto Method, class... Args>
TimerRef Process::send_after(Duration delay, Args&&... args) {
  return send_after_erased(
      delay, std::make_unique<handler_detail::MethodEnvelope<Method>>(std::forward<Args>(args)...));
}

}  // namespace holdfast::runtime

#include "core/runtime/runtime.hpp"
