/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Loops over bytes, halfwords, words and doublewords that the compiler turns into vector instructions, and sums of
   products, saturated sums, comparisons, shifts and counts that it is told to use. */

enum { size = 512 };

static int32_t words[size], other_words[size];
static uint16_t halves[size], other_halves[size];
static uint8_t bytes[size], other_bytes[size];
static int64_t dwords[size];

typedef __vector unsigned char v_bytes;
typedef __vector signed short v_halves;
typedef __vector unsigned int v_words;
typedef __vector signed int v_signed;
typedef __vector unsigned long long v_dwords;

static uint32_t chosen(void) {
    v_words total = vec_splats(0U);
    v_signed products = vec_splats(0);
    v_dwords counted = vec_splats(0ULL);
    for (int i = 0; i < size; i += 16) {
        const v_bytes a = vec_xl(i, bytes);
        const v_bytes b = vec_xl(i, other_bytes);
        total = vec_sum4s(vec_adds(vec_max(a, b), vec_avg(a, b)), total);
        total += vec_msum(a, b, total);
        const v_halves h = (v_halves)vec_xl(i, (unsigned char*)halves);
        const v_halves k = (v_halves)vec_xl(i, (unsigned char*)other_halves);
        products = vec_msums(h, k, products);
        const v_words w = (v_words)vec_sel(vec_rl((v_words)a, (v_words)b), vec_sl((v_words)h, (v_words)k),
                                           (v_words)vec_cmpgt(h, k));
        counted += (v_dwords)vec_popcnt((v_dwords)w) + (v_dwords)vec_cntlz((v_dwords)b);
        vec_xst((v_bytes)(w ^ total), i, bytes);
    }
    return total[0] ^ total[3] ^ (uint32_t)products[1] ^ (uint32_t)counted[0] ^ (uint32_t)counted[1];
}

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < size; ++i) {
        sum = xorshift(sum);
        words[i] = (int32_t)sum;
        other_words[i] = (int32_t)(sum >> 32);
        halves[i] = (uint16_t)(sum >> 8);
        other_halves[i] = (uint16_t)(sum >> 24);
        bytes[i] = (uint8_t)(sum >> 16);
        other_bytes[i] = (uint8_t)(sum >> 40);
        dwords[i] = (int64_t)(sum >> 3);
    }
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < size; ++i) {
            words[i] = words[i] * 5 + (other_words[i] >> 3);
            other_words[i] = words[i] > other_words[i] ? words[i] - 7 : other_words[i] + 3;
        }
        for (int i = 0; i < size; ++i) {
            halves[i] = (uint16_t)(halves[i] * other_halves[i] + bytes[i]);
            other_bytes[i] = (uint8_t)(bytes[i] > other_bytes[i] ? bytes[i] - other_bytes[i] : halves[i]);
        }
        uint32_t difference = 0;
        int64_t total = 0;
        for (int i = 0; i < size; ++i) {
            difference += (uint32_t)(bytes[i] > other_bytes[i] ? bytes[i] - other_bytes[i]
                                                               : other_bytes[i] - bytes[i]);
            dwords[i] += (dwords[i] >> 7) ^ words[i];
            total += dwords[i];
        }
        sum = mixed(mixed(sum, difference), (uint64_t)total);
        sum = mixed(sum, chosen());
        words[round % size] ^= (int32_t)sum;
    }
    return sum;
}
