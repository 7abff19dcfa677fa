/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEFSIM_BENCHMARK_KERNEL_H
#define PEFSIM_BENCHMARK_KERNEL_H

#include <stdint.h>

/*
 * A kernel: what one benchmark executes. It uses no library, so that the same code runs as a Linux program (linux.c) and
 * with nothing below it (bare.c). Its result depends on every result before it and is the same on every processor.
 */
uint64_t kernel(uint64_t rounds);

/* Storage that a kernel works on: 256 MiB, zeros at first. */
#define ARENA_SIZE (UINT64_C(256) << 20)
extern unsigned char arena[ARENA_SIZE];

static inline uint64_t xorshift(uint64_t x) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* FNV-1a of doublewords. */
static inline uint64_t mixed(uint64_t sum, uint64_t value) { return (sum ^ value) * UINT64_C(0x100000001b3); }

static inline uint64_t mixed_bytes(uint64_t sum, const void* from, uint64_t size) {
    const unsigned char* bytes = from;
    for (uint64_t i = 0; i < size; ++i) {
        sum = mixed(sum, bytes[i]);
    }
    return sum;
}

#endif
