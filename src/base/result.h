#pragma once

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace quire::base {

/// A value, or the Error that says why there is none. Becomes std::expected by editing this file.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}                             // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(tl::unexpected<Error>(std::move(error))) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return state_.has_value(); }
  T& operator*() & { return *state_; }
  const T& operator*() const& { return *state_; }
  T&& operator*() && { return *std::move(state_); }
  T* operator->() { return &*state_; }
  const T* operator->() const { return &*state_; }
  const Error& error() const { return state_.error(); }

 private:
  tl::expected<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(tl::unexpected<Error>(std::move(error))) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return state_.has_value(); }
  const Error& error() const { return state_.error(); }

 private:
  tl::expected<void, Error> state_;
};

}  // namespace quire::base

#define QUIRE_JOIN_NAMES_(a, b) a##b
#define QUIRE_JOIN_NAMES(a, b) QUIRE_JOIN_NAMES_(a, b)
#define QUIRE_ASSIGN_OR_RETURN_(result, declaration, ...) \
  auto result = (__VA_ARGS__);                            \
  if (!result) return result.error();                     \
  declaration = *std::move(result)
#define QUIRE_RETURN_IF_ERROR_(result, ...) \
  do {                                      \
    auto result = (__VA_ARGS__);            \
    if (!result) return result.error();     \
  } while (false)

/// `QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(reader, id));` gives `item` the value of a Result, or hands its
/// Error on to the caller. It is three statements, so only inside braces. Not in coroutines, which spell it out.
#define QUIRE_ASSIGN_OR_RETURN(declaration, ...) \
  QUIRE_ASSIGN_OR_RETURN_(QUIRE_JOIN_NAMES(result_, __COUNTER__), declaration, __VA_ARGS__)

/// `QUIRE_RETURN_IF_ERROR(check_name(name));` hands the Error of a Result on to the caller; a value is passed over.
#define QUIRE_RETURN_IF_ERROR(...) QUIRE_RETURN_IF_ERROR_(QUIRE_JOIN_NAMES(result_, __COUNTER__), __VA_ARGS__)
