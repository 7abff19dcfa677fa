/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Accounts in packed decimal: sums, differences, shifts, truncation, conversions from and to binary and zoned digits. */

enum { accounts = 64 };

typedef __vector unsigned char v_bytes;
typedef __vector unsigned long long v_dwords;

static v_bytes balance[accounts], movement[accounts];

#define BCD_2(name, suffix)                                                                                  \
    static inline v_bytes name(v_bytes a, v_bytes b) {                                                       \
        v_bytes t;                                                                                           \
        __asm__(#name ". %0, %1, %2" suffix : "=v"(t) : "v"(a), "v"(b) : "cr6");                             \
        return t;                                                                                            \
    }
#define BCD_1(name, suffix)                                                                                  \
    static inline v_bytes name(v_bytes b) {                                                                  \
        v_bytes t;                                                                                           \
        __asm__(#name ". %0, %1" suffix : "=v"(t) : "v"(b) : "cr6");                                         \
        return t;                                                                                            \
    }
BCD_2(bcdadd, ", 0")
BCD_2(bcdsub, ", 0")
BCD_2(bcds, ", 0")
BCD_2(bcdtrunc, ", 0")
BCD_1(bcdcfsq, ", 0")
BCD_1(bcdctsq, "")
BCD_1(bcdctz, ", 0")
BCD_1(bcdcfz, ", 0")

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < accounts; ++i) {
        sum = xorshift(sum);
        movement[i] = bcdcfsq((v_bytes)(v_dwords){sum >> 20, 0});
        balance[i] = bcdcfsq((v_bytes)(v_dwords){sum >> 8, 0});
    }
    const v_bytes one_place = (v_bytes)(v_dwords){0, 0xff}; /* -1: to the right */
    const v_bytes sixteen = (v_bytes)(v_dwords){0, 16};
    for (uint64_t round = 0; round < rounds; ++round) {
        v_bytes total = bcdcfsq((v_bytes)(v_dwords){round, 0});
        for (int i = 0; i < accounts; ++i) {
            const v_bytes before = balance[i];
            const v_bytes after = bcdsub(bcdadd(before, movement[i]), bcds(one_place, movement[i]));
            total = bcdadd(total, after);
            balance[i] = bcdtrunc(sixteen, after);
            movement[i] = __builtin_vec_bcdadd_lt(after, before, 0) ? movement[i]
                                                                    : bcdsub(movement[i], after);
            if (i % 8 == 0) {
                const v_bytes digits = bcdctz(bcdtrunc(sixteen, total));
                sum = mixed(sum, ((v_dwords)bcdcfz(digits))[0] ^ ((v_dwords)bcdctsq(total))[0]);
            }
        }
        sum = mixed(sum, ((v_dwords)total)[0]);
    }
    return sum;
}
