// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace pefsim::guest {

template <class Signature>
class callback;

/// What to call when something has happened: a function object of at most 48 bytes kept in place. Taking and copying
/// one never touches the heap, so that every request can have its own. A lambda that captures references, pointers and
/// numbers fits; one that does not fit is refused by the compiler.
template <class... Arguments>
class callback<void(Arguments...)> {
public:
    static constexpr std::size_t capacity = 48;

    callback() = default;

    template <class Function>
    requires(!std::is_same_v<std::remove_cvref_t<Function>, callback> &&
             std::is_invocable_r_v<void, Function&, Arguments...>)
        callback(Function function)  // NOLINT(google-explicit-constructor): a lambda is a callback
        : invoke_([](void* storage, Arguments... arguments) {
              (*static_cast<Function*>(storage))(arguments...);
          }) {
        static_assert(sizeof(Function) <= capacity, "captures more than a callback can hold");
        static_assert(alignof(Function) <= alignof(std::max_align_t));
        static_assert(std::is_trivially_copyable_v<Function>, "captures something with a destructor");
        std::memcpy(storage_.data(), &function, sizeof(Function));
    }

    explicit operator bool() const { return invoke_ != nullptr; }
    void operator()(Arguments... arguments) { invoke_(storage_.data(), arguments...); }

private:
    void (*invoke_)(void*, Arguments...) = nullptr;
    alignas(std::max_align_t) std::array<std::byte, capacity> storage_{};
};

}  // namespace pefsim::guest
