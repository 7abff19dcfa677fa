/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Copies and fills, by the sixteen and sixty-four bytes, of 16 bytes to 1 MiB; every third one is not aligned. */

typedef __vector unsigned char quadword;

static void copy(unsigned char* to, const unsigned char* from, uint64_t size) {
    for (; size >= 64; size -= 64, to += 64, from += 64) {
        const quadword a = vec_xl(0, from);
        const quadword b = vec_xl(16, from);
        const quadword c = vec_xl(32, from);
        const quadword d = vec_xl(48, from);
        vec_xst(a, 0, to);
        vec_xst(b, 16, to);
        vec_xst(c, 32, to);
        vec_xst(d, 48, to);
    }
    for (; size >= 16; size -= 16, to += 16, from += 16) {
        vec_xst(vec_xl(0, from), 0, to);
    }
    if (size != 0) {
        vec_xst_len(vec_xl_len((unsigned char*)from, size), to, size);
    }
}

static void fill(unsigned char* to, unsigned char value, uint64_t size) {
    const quadword all = vec_splats(value);
    for (; size >= 64; size -= 64, to += 64) {
        vec_xst(all, 0, to);
        vec_xst(all, 16, to);
        vec_xst(all, 32, to);
        vec_xst(all, 48, to);
    }
    for (; size >= 16; size -= 16, to += 16) {
        vec_xst(all, 0, to);
    }
    if (size != 0) {
        vec_xst_len(all, to, size);
    }
}

uint64_t kernel(uint64_t rounds) {
    static const uint32_t sizes[] = {16, 31, 64, 100, 256, 1000, 4096, 16384, 65536, 1 << 20};
    unsigned char* one = arena;
    unsigned char* other = arena + (4 << 20);
    uint64_t sum = 1;
    for (uint64_t i = 0; i < (2 << 20); i += 8) {
        sum = xorshift(sum);
        *(uint64_t*)(one + i) = sum;
    }
    for (uint64_t round = 0; round < rounds; ++round) {
        for (uint32_t s = 0; s < sizeof sizes / sizeof sizes[0]; ++s) {
            const uint32_t size = sizes[s];
            const uint32_t times = (1 << 20) / size < 256 ? (1 << 20) / size : 256;
            for (uint32_t i = 0; i < times; ++i) {
                const uint64_t skew = i % 3 == 2 ? i % 61 : 0;
                copy(other + skew, one + 2 * skew, size);
                fill(other + (2 << 20) + skew, (unsigned char)(i + round), size);
            }
            sum = mixed(sum, *(uint64_t*)(other + size / 2));
            sum = mixed(sum, *(uint64_t*)(other + (2 << 20) + size / 2));
        }
        *(uint64_t*)(one + (round & 0xfff8)) = sum;
    }
    return sum;
}
