// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

/// The common case on the host's floating-point unit: binary64 operands, round to nearest, results far from the ends of
/// the exponent range. What IEEE 754 leaves to the status flags is computed from the error of the rounding, which is
/// exact: the host's own flags are neither read nor cleared. It relies on the host's default modes and on every
/// operation being rounded by itself: compile with -ffp-contract=off.
namespace pefsim::power::ieee::host {

/// Biased exponents of binary64 within which no step of the functions below overflows or underflows.
inline constexpr std::uint64_t lowest = 600;
inline constexpr std::uint64_t highest = 2040;

template <std::uint64_t low = lowest, std::uint64_t high = highest>
[[gnu::always_inline]] inline bool in_range(double value) {
    return (std::bit_cast<std::uint64_t>(value) >> 52 & 0x7ff) - low <= high - low;
}

/// A result and a number of the sign of what rounding has taken away from it: (exact - value), 0 when there is nothing.
/// It means nothing unless it is safe and value is in_range().
struct rounded {
    double value = 0;
    double error = 0;
    bool safe = true;
};

// The functions that say so must be inlined where the host's fused multiply-add is available.

/// Knuth's two-sum.
[[gnu::always_inline]] inline rounded add(double a, double b) {
    const double s = a + b;
    const double b_part = s - a;
    const double a_part = s - b_part;
    return {s, (a - a_part) + (b - b_part)};
}
/// Fused.
[[gnu::always_inline]] inline rounded multiply(double a, double b) {
    const double p = a * b;
    return {p, __builtin_fma(a, b, -p)};
}
/// Fused. The remainder is exact, and has the sign of the error times that of b.
[[gnu::always_inline]] inline rounded divide(double a, double b) {
    const double q = a / b;
    const double remainder = __builtin_fma(-q, b, a);
    const std::uint64_t sign = std::bit_cast<std::uint64_t>(b) & std::uint64_t{1} << 63;
    return {q, std::bit_cast<double>(std::bit_cast<std::uint64_t>(remainder) ^ sign), in_range(a)};
}
/// Fused.
[[gnu::always_inline]] inline rounded square_root(double a) {
    const double s = __builtin_sqrt(a);
    return {s, __builtin_fma(-s, s, a)};
}
/// Fused: a * c + b. The error in two parts, whose sum has its sign: Boldo and Muller, "Exact and approximated error of
/// the FMA", 2011.
[[gnu::always_inline]] inline rounded multiply_add(double a, double c, double b) {
    const double r = __builtin_fma(a, c, b);
    const rounded product = multiply(a, c);
    const rounded small = add(b, product.error);
    const rounded large = add(product.value, small.value);
    const double gamma = (large.value - r) + large.error;
    const bool no_product = product.value == 0 && (a == 0 || c == 0);
    return {r, gamma + small.error, in_range(product.value) || no_product};
}

/// A vector register of the host, of float or double.
template <typename F>
using register_of [[gnu::vector_size(16)]] = F;

// Operations of either format, and of registers of them, without their error. Element by element, as written here, the
// compiler finds the host's vector instruction.

/// Fused.
[[gnu::always_inline]] inline float plain_multiply_add(float a, float c, float b) {
    return __builtin_fmaf(a, c, b);
}
[[gnu::always_inline]] inline double plain_multiply_add(double a, double c, double b) {
    return __builtin_fma(a, c, b);
}
[[gnu::always_inline]] inline register_of<float>
plain_multiply_add(register_of<float> a, register_of<float> c, register_of<float> b) {
    return register_of<float>{__builtin_fmaf(a[0], c[0], b[0]), __builtin_fmaf(a[1], c[1], b[1]),
                              __builtin_fmaf(a[2], c[2], b[2]), __builtin_fmaf(a[3], c[3], b[3])};
}
[[gnu::always_inline]] inline register_of<double>
plain_multiply_add(register_of<double> a, register_of<double> c, register_of<double> b) {
    return register_of<double>{__builtin_fma(a[0], c[0], b[0]), __builtin_fma(a[1], c[1], b[1])};
}

[[gnu::always_inline]] inline register_of<float> plain_square_root(register_of<float> a) {
    return register_of<float>{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]),
                              __builtin_sqrtf(a[3])};
}
[[gnu::always_inline]] inline register_of<double> plain_square_root(register_of<double> a) {
    return register_of<double>{__builtin_sqrt(a[0]), __builtin_sqrt(a[1])};
}
[[gnu::always_inline]] inline register_of<float> plain_reciprocal(register_of<float> a) { return 1.0F / a; }
[[gnu::always_inline]] inline register_of<double> plain_reciprocal(register_of<double> a) { return 1.0 / a; }

/// True of results that are far from the ends of their format's range.
[[gnu::always_inline]] inline bool is_ordinary(double value) { return in_range(value); }
[[gnu::always_inline]] inline bool is_ordinary(float value) {
    constexpr std::uint32_t low = 5;
    constexpr std::uint32_t high = 250;
    return (std::bit_cast<std::uint32_t>(value) >> 23 & 0xff) - low <= high - low;
}

[[gnu::always_inline]] inline bool are_ordinary(register_of<double> value) {
    return is_ordinary(value[0]) & is_ordinary(value[1]);
}
[[gnu::always_inline]] inline bool are_ordinary(register_of<float> value) {
    using words [[gnu::vector_size(16)]] = std::uint32_t;
    constexpr std::uint32_t low = std::uint32_t{5} << 24;
    constexpr std::uint32_t high = (std::uint32_t{251} << 24) - 1;
    const auto outside = (std::bit_cast<words>(value) << 1) - low > words{} + (high - low);
    const auto halves = std::bit_cast<register_of<std::uint64_t>>(outside);
    return (halves[0] | halves[1]) == 0;
}

/// True of products whose last bit is no denormal number, nor lost: what cancels them out leaves a zero that is exact.
[[gnu::always_inline]] inline bool is_cancelled_exactly(double product) { return in_range(product); }
[[gnu::always_inline]] inline bool is_cancelled_exactly(float product) {
    constexpr std::uint32_t low = 30;
    constexpr std::uint32_t high = 250;
    return (std::bit_cast<std::uint32_t>(product) >> 23 & 0xff) - low <= high - low;
}

/// A result as FPSCR describes it. The bits are numbers, 0 or 1: no branch waits for what nobody can predict.
struct delivered {
    std::uint64_t bits = 0;  ///< of the result as binary64
    std::uint64_t inexact = 0;
    std::uint64_t incremented = 0;
    bool good = false;  ///< false: the rest means nothing
};

[[gnu::always_inline]] inline delivered deliver_double(const rounded& r) {
    const auto bits = std::bit_cast<std::uint64_t>(r.value);
    const auto error = std::bit_cast<std::uint64_t>(r.error);
    const std::uint64_t inexact = error << 1 != 0 ? 1 : 0;
    return {bits, inexact, inexact & (error ^ bits) >> 63, r.safe && in_range(r.value)};
}

/// Rounded to binary32: first to odd, with the precision of binary64, so that rounding twice does no harm.
[[gnu::always_inline]] inline delivered deliver_single(const rounded& r) {
    const auto bits = std::bit_cast<std::uint64_t>(r.value);
    const auto error = std::bit_cast<std::uint64_t>(r.error);
    const std::uint64_t step = (error << 1 != 0 ? 1 : 0) & ~bits;
    const std::uint64_t odd = bits + step - (step & (error ^ bits) >> 63) * 2;
    const double value = static_cast<float>(std::bit_cast<double>(odd));
    const auto result = std::bit_cast<std::uint64_t>(value);
    // Between 2^-122 and 2^126.
    return {result, result != odd ? 1U : 0U, result > odd ? 1U : 0U, r.safe && in_range<901, 1149>(value)};
}

}  // namespace pefsim::power::ieee::host
