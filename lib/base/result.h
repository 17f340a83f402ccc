// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/error.h"

namespace cmk {

/// A value or an Error, with std::expected's member names. Reading the side that is not there is a
/// programmer error and terminates.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & { return std::get<1>(state_); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool has_value() const { return !error_.has_value(); }
    explicit operator bool() const { return has_value(); }

    Error& error() & { return *error_; }
    const Error& error() const& { return *error_; }
    Error&& error() && { return *std::move(error_); }

private:
    std::optional<Error> error_;
};

using Status = Result<void>;

/// Puts "<context>: " in front of the message on the way up; code and errno stay.
inline Error with_context(Error error, const std::string& context) {
    error.message = context + ": " + error.message;
    return error;
}

}  // namespace cmk

/// Returns the error of `expr` (a Result or Status) to the caller; goes on otherwise.
#define CMK_TRY(expr)                                                  \
    do {                                                               \
        auto cmk_try_result = (expr);                                  \
        if (!cmk_try_result) return std::move(cmk_try_result).error(); \
    } while (false)

#define CMK_CONCAT_INNER(a, b) a##b
#define CMK_CONCAT(a, b) CMK_CONCAT_INNER(a, b)
#define CMK_TRY_ASSIGN_INNER(name, declaration, expr) \
    auto name = (expr);                               \
    if (!name) return std::move(name).error();        \
    declaration = *std::move(name)

/// `CMK_TRY_ASSIGN(auto fd, open_file(...))`: declares from the value or returns the error.
#define CMK_TRY_ASSIGN(declaration, expr) \
    CMK_TRY_ASSIGN_INNER(CMK_CONCAT(cmk_try_, __LINE__), declaration, expr)
