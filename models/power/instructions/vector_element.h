// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "power/int128.h"
#include "power/registers.h"

/// A vector register as the ISA's pseudo-code sees it: VSR[n].byte[i], .hword[i], .word[i], .dword[i] are element<T>(v,
/// i); element 0 is the leftmost.
namespace pefsim::power::isa {

/// The whole register as one number; element 0 of every width is at its most significant end.
using quadword = uint128;
using signed_quadword = int128;

static_assert(std::endian::native == std::endian::little, "vector_register is a 128-bit number of the host");

[[gnu::always_inline]] inline quadword quad(const vector_register& v) { return std::bit_cast<quadword>(v); }
/// A register of two doublewords, put together in a vector register of the host: a wide load stalls behind two stores.
[[gnu::always_inline]] inline vector_register joined(std::uint64_t high, std::uint64_t low) {
    using lanes [[gnu::vector_size(16)]] = std::uint64_t;
    return std::bit_cast<vector_register>(lanes{low, high});
}
[[gnu::always_inline]] inline vector_register vector_of(quadword value) {
    return joined(static_cast<std::uint64_t>(value >> 64), static_cast<std::uint64_t>(value));
}

/// All elements of a register. `host` holds them in the order of the host's memory, the rightmost first: loops that
/// treat all elements alike run over it, and the compiler makes host vector instructions of them.
template <typename T>
struct elements {
    static constexpr unsigned count = 16 / sizeof(T);

    std::array<T, count> host;

    elements() = default;  // the elements are yet to be set
    [[gnu::always_inline]] explicit elements(const vector_register& v) {
        std::memcpy(host.data(), &v, sizeof v);
    }
    // NOLINTNEXTLINE(google-explicit-constructor): it is that register, seen as elements
    [[gnu::always_inline]] operator vector_register() const { return std::bit_cast<vector_register>(host); }

    [[gnu::always_inline]] T& operator[](unsigned i) { return host[count - 1 - i]; }
    [[gnu::always_inline]] const T& operator[](unsigned i) const { return host[count - 1 - i]; }
};

template <typename T>
[[gnu::always_inline]] inline T element(const vector_register& v, unsigned i) {
    T value{};
    std::memcpy(&value, std::bit_cast<const std::byte*>(&v) + sizeof v - (i + 1) * sizeof(T), sizeof(T));
    return value;
}
template <typename T>
[[gnu::always_inline]] inline void set_element(vector_register& v, unsigned i, T value) {
    std::memcpy(std::bit_cast<std::byte*>(&v) + sizeof v - (i + 1) * sizeof(T), &value, sizeof(T));
}

/// A register whose element i is f(i). It grows in a host register: small stores that a wide load follows stall the
/// host.
template <typename T, typename F>
[[gnu::always_inline]] inline vector_register build(F f) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    if constexpr (sizeof(T) == 8) {
        high = static_cast<std::uint64_t>(f(0U));
        low = static_cast<std::uint64_t>(f(1U));
    } else {
        constexpr unsigned half = elements<T>::count / 2;
#pragma GCC unroll 8
        for (unsigned i = 0; i < half; ++i) {
            high = high << 8 * sizeof(T) | static_cast<std::make_unsigned_t<T>>(f(i));
            low = low << 8 * sizeof(T) | static_cast<std::make_unsigned_t<T>>(f(half + i));
        }
    }
    return joined(high, low);
}

/// A register whose element i is element from(i) of a || b, known when this is compiled.
template <typename T, auto from>
[[gnu::always_inline]] inline vector_register shuffled(const vector_register& a, const vector_register& b) {
    constexpr unsigned n = elements<T>::count;
    const elements<T> left(a);
    const elements<T> right(b);
    using lanes [[gnu::vector_size(16)]] = T;
    const auto take = [&]<std::size_t... lane>(std::index_sequence<lane...>) {
        // Lanes of the host are counted from the right: lane i is element n - 1 - i, and b's come first.
        return __builtin_shufflevector(std::bit_cast<lanes>(right.host), std::bit_cast<lanes>(left.host),
                                       (2 * n - 1 - from(static_cast<unsigned>(n - 1 - lane)))...);
    };
    return std::bit_cast<vector_register>(take(std::make_index_sequence<n>()));
}

/// `value` in every element.
template <typename T>
[[gnu::always_inline]] inline vector_register splat(T value) {
    elements<T> result;
    result.host.fill(value);
    return result;
}

}  // namespace pefsim::power::isa
