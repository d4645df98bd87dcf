// Result<T, E>: an expected failure as a value. Failures that a caller must handle travel this way;
// programmer errors are ASSERTs, a peer's death is a typed exit (style.md, "Errors, three kinds").
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/base/assert.hpp"

namespace holdfast {

/// A failure with one sentence for a person. Layers that must branch on the kind of failure define
/// their own error type and use it as Result's E.
struct Error {
  std::string message;
};

/// Wraps an error so that Result<T, E> can be built from it even where T and E are the same type.
template <class E>
struct Failure {
  E error;
};
template <class E>
Failure(E) -> Failure<E>;

inline Failure<Error> fail(std::string message) {
  return {Error{std::move(message)}};
}

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class F>
  Result(Failure<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// REQUIRES: ok().
  T& value() & {
    ASSERT(ok(), "value() is asked only of a successful Result");
    return std::get<0>(state_);
  }
  const T& value() const& {
    ASSERT(ok(), "value() is asked only of a successful Result");
    return std::get<0>(state_);
  }
  T&& value() && {
    ASSERT(ok(), "value() is asked only of a successful Result");
    return std::get<0>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !ok().
  const E& error() const {
    ASSERT(!ok(), "error() is asked only of a failed Result");
    return std::get<1>(state_);
  }
  /// The error, ready to be returned from a function with another T.
  Failure<E> failure() const { return Failure<E>{error()}; }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  template <class F>
  Result(Failure<F> failure) : error_(std::move(failure.error)) {}

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const E& error() const {
    ASSERT(!ok(), "error() is asked only of a failed Result");
    return *error_;
  }
  Failure<E> failure() const { return Failure<E>{error()}; }

 private:
  std::optional<E> error_;
};

}  // namespace holdfast
