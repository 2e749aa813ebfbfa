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
