/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Follows pointers through 256 MiB, a page of 4 KiB after the other in random order: no TLB holds them. */

enum { page = 4096, pages = ARENA_SIZE / page };

static unsigned char* place(uint32_t n) { return arena + (uint64_t)n * page + (n * 64 & (page - 1)); }

uint64_t kernel(uint64_t rounds) {
    /* One cycle through all pages: a full-period congruence modulo a power of two. */
    uint32_t n = 0;
    for (uint32_t i = 0; i < pages; ++i) {
        const uint32_t after = (n * 29821 + 12347) & (pages - 1);
        *(unsigned char**)place(n) = place(after);
        n = after;
    }
    unsigned char* at = arena;
    uint64_t sum = 0;
    for (uint64_t round = 0; round < rounds; ++round) {
        for (uint32_t i = 0; i < 1000; ++i) {
            at = *(unsigned char**)at;
            sum += (uint64_t)(at - arena);
        }
    }
    return sum;
}
