// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/host_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <stdexcept>
#endif

namespace pefsim::power::isa::host {

#if defined(__x86_64__)
namespace {

__m128i to_host(quadword_register v) { return std::bit_cast<__m128i>(v); }
quadword_register from_host(__m128i v) { return std::bit_cast<quadword_register>(v); }

/// Byte i of the result is the byte of table that byte i of `place` names, or zero when that has its upper bit set.
[[gnu::target("ssse3"), gnu::always_inline]] inline __m128i looked_up(__m128i table, __m128i place) {
    return _mm_shuffle_epi8(table, place);
}
/// Byte i is the byte of high || low that stands at place.byte[i], 0 to 31, from the right.
[[gnu::target("ssse3"), gnu::always_inline]] inline __m128i looked_up(__m128i high, __m128i low,
                                                                      __m128i place) {
    // What is not of the one table becomes 0x80 or more, and finds zero there.
    return looked_up(low, _mm_add_epi8(place, _mm_set1_epi8(0x70))) |
           looked_up(high, _mm_sub_epi8(place, _mm_set1_epi8(0x10)));
}
[[gnu::always_inline]] inline __m128i inverted(__m128i v) { return _mm_xor_si128(v, _mm_set1_epi8(-1)); }

/// Byte 0 of the register is the first of the state; the host has its first byte on the right.
[[gnu::target("ssse3"), gnu::always_inline]] inline __m128i turned(__m128i v) {
    return looked_up(v, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

}  // namespace

[[gnu::target("ssse3")]] quadword_register vperm(quadword_register a, quadword_register b,
                                                 quadword_register control) {
    const __m128i place = inverted(to_host(control)) & _mm_set1_epi8(0x1f);  // byte n stands at 31 - n
    return from_host(looked_up(to_host(a), to_host(b), place));
}
[[gnu::target("ssse3")]] quadword_register vpermr(quadword_register a, quadword_register b,
                                                  quadword_register control) {
    return from_host(looked_up(to_host(a), to_host(b), to_host(control) & _mm_set1_epi8(0x1f)));
}
[[gnu::target("ssse3")]] quadword_register vpermxor(quadword_register a, quadword_register b,
                                                    quadword_register control) {
    const __m128i place = inverted(to_host(control));  // byte n stands at 15 - n
    const __m128i nibble = _mm_set1_epi8(0x0f);
    return from_host(looked_up(to_host(a), _mm_srli_epi16(place, 4) & nibble) ^
                     looked_up(to_host(b), place & nibble));
}
[[gnu::target("ssse3")]] quadword_register vbpermq(quadword_register a, quadword_register b) {
    const __m128i n = to_host(b);
    const __m128i seven = _mm_set1_epi8(7);
    // The byte that has bit n: n / 8 from the left; none, and then zero, of a bit that is not there.
    const __m128i byte_of_bit = (_mm_srli_epi16(inverted(n), 3) & _mm_set1_epi8(0x0f)) |
                                (n & _mm_set1_epi8(-0x80));
    const __m128i masks = _mm_set_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -0x80);
    const __m128i mask = looked_up(masks, n & seven);
    const __m128i set = _mm_cmpeq_epi8(looked_up(to_host(a), byte_of_bit) & mask, mask);
    return quadword_register{0, static_cast<std::uint64_t>(_mm_movemask_epi8(set))};
}

[[gnu::target("pclmul")]] quadword_register vpmsumw(quadword_register a, quadword_register b) {
    const __m128i right_words = _mm_set1_epi64x(0xffff'ffff);
    const __m128i a0 = to_host(a) & right_words;
    const __m128i b0 = to_host(b) & right_words;
    const __m128i a1 = _mm_srli_epi64(to_host(a), 32);
    const __m128i b1 = _mm_srli_epi64(to_host(b), 32);
    const __m128i low = _mm_clmulepi64_si128(a0, b0, 0x00) ^ _mm_clmulepi64_si128(a1, b1, 0x00);
    const __m128i high = _mm_clmulepi64_si128(a0, b0, 0x11) ^ _mm_clmulepi64_si128(a1, b1, 0x11);
    return from_host(_mm_unpacklo_epi64(low, high));
}
[[gnu::target("pclmul")]] quadword_register vpmsumd(quadword_register a, quadword_register b) {
    return from_host(_mm_clmulepi64_si128(to_host(a), to_host(b), 0x00) ^
                     _mm_clmulepi64_si128(to_host(a), to_host(b), 0x11));
}

[[gnu::target("ssse3,aes")]] quadword_register vcipher(quadword_register state, quadword_register key) {
    return from_host(turned(_mm_aesenc_si128(turned(to_host(state)), turned(to_host(key)))));
}
[[gnu::target("ssse3,aes")]] quadword_register vcipherlast(quadword_register state, quadword_register key) {
    return from_host(turned(_mm_aesenclast_si128(turned(to_host(state)), turned(to_host(key)))));
}
[[gnu::target("ssse3,aes")]] quadword_register vncipher(quadword_register state, quadword_register key) {
    // The key comes before InvMixColumns.
    const __m128i sum = _mm_aesdeclast_si128(turned(to_host(state)), turned(to_host(key)));
    return from_host(turned(_mm_aesimc_si128(sum)));
}
[[gnu::target("ssse3,aes")]] quadword_register vncipherlast(quadword_register state, quadword_register key) {
    return from_host(turned(_mm_aesdeclast_si128(turned(to_host(state)), turned(to_host(key)))));
}
[[gnu::target("ssse3,aes")]] quadword_register vsbox(quadword_register a) {
    // Turned, and with InvShiftRows, since AESENCLAST has ShiftRows.
    const __m128i shifted_back = _mm_set_epi8(12, 9, 6, 3, 0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15);
    const __m128i state = looked_up(to_host(a), shifted_back);
    return from_host(turned(_mm_aesenclast_si128(state, _mm_setzero_si128())));
}

#else

// No other host has been taught: host_features::vector_unit() is false.
namespace {
[[noreturn]] quadword_register unknown() {
    throw std::logic_error("a vector unit is used that the host has not");
}
}  // namespace

quadword_register vperm(quadword_register, quadword_register, quadword_register) { unknown(); }
quadword_register vpermr(quadword_register, quadword_register, quadword_register) { unknown(); }
quadword_register vpermxor(quadword_register, quadword_register, quadword_register) { unknown(); }
quadword_register vbpermq(quadword_register, quadword_register) { unknown(); }
quadword_register vpmsumw(quadword_register, quadword_register) { unknown(); }
quadword_register vpmsumd(quadword_register, quadword_register) { unknown(); }
quadword_register vcipher(quadword_register, quadword_register) { unknown(); }
quadword_register vcipherlast(quadword_register, quadword_register) { unknown(); }
quadword_register vncipher(quadword_register, quadword_register) { unknown(); }
quadword_register vncipherlast(quadword_register, quadword_register) { unknown(); }
quadword_register vsbox(quadword_register) { unknown(); }

#endif

}  // namespace pefsim::power::isa::host
