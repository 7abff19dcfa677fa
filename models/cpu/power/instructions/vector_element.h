// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cpu/registers.h"

/// A vector register as the ISA's pseudo-code sees it: VSR[n].byte[i], .hword[i], .word[i], .dword[i] are element<T>(v, i);
/// element 0 is the leftmost.
namespace pefsim::cpu::power::isa {

/// The whole register as one number; element 0 of every width is at its most significant end.
__extension__ using quadword = unsigned __int128;
__extension__ using signed_quadword = __int128;

static_assert(std::endian::native == std::endian::little, "vector_register is a 128-bit number of the host");

[[gnu::always_inline]] inline quadword quad(const vector_register& v) { return std::bit_cast<quadword>(v); }
[[gnu::always_inline]] inline vector_register vector_of(quadword value) {
    return std::bit_cast<vector_register>(value);
}

/// All elements of a register. `host` holds them in the order of the host's memory, the rightmost first: loops that treat
/// all elements alike run over it, and the compiler makes host vector instructions of them.
template <typename T>
struct elements {
    static constexpr unsigned count = 16 / sizeof(T);

    std::array<T, count> host;

    elements() = default;  // the elements are yet to be set
    [[gnu::always_inline]] explicit elements(const vector_register& v) {
        std::memcpy(host.data(), &v, sizeof v);
    }
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

/// A register whose element i is f(i).
template <typename T, typename F>
[[gnu::always_inline]] inline vector_register build(F f) {
    elements<T> result;
    for (unsigned i = 0; i < elements<T>::count; ++i) {
        result[i] = static_cast<T>(f(i));
    }
    return result;
}

/// `value` in every element.
template <typename T>
[[gnu::always_inline]] inline vector_register splat(T value) {
    elements<T> result;
    result.host.fill(value);
    return result;
}

}  // namespace pefsim::cpu::power::isa
