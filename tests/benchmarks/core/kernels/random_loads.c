/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Loads all over 256 MiB, none of whose addresses depends on what another has loaded. */

enum { words = ARENA_SIZE / 8, page = 4096 / 8 };

uint64_t kernel(uint64_t rounds) {
    const uint64_t* const table = (const uint64_t*)arena;
    for (uint32_t i = 0; i < words; i += page) {
        ((uint64_t*)arena)[i] = i;
    }
    uint64_t at = 88172645463325252;
    uint64_t sum = 0;
    for (uint64_t round = 0; round < rounds; ++round) {
        for (uint32_t i = 0; i < 1000; ++i) {
            at = xorshift(at);
            sum = sum * 3 + table[at & (words - 1)];
        }
    }
    return sum ^ at;
}
