/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Single precision of VMX, whose instructions no compiler chooses where VSX is. */

typedef __vector float v_float;
typedef __vector signed int v_words;
typedef __vector unsigned int v_masks;

static v_float table[64];

#define VMX_1(name, type, from)                                                                              \
    static inline type name(from b) {                                                                        \
        type t;                                                                                              \
        __asm__("v" #name " %0, %1" : "=v"(t) : "v"(b));                                                     \
        return t;                                                                                            \
    }
#define VMX_2(name, type)                                                                                    \
    static inline type name(v_float a, v_float b) {                                                          \
        type t;                                                                                              \
        __asm__("v" #name " %0, %1, %2" : "=v"(t) : "v"(a), "v"(b));                                         \
        return t;                                                                                            \
    }
#define VMX_3(name)                                                                                          \
    static inline v_float name(v_float a, v_float c, v_float b) {                                            \
        v_float t;                                                                                           \
        __asm__("v" #name " %0, %1, %2, %3" : "=v"(t) : "v"(a), "v"(c), "v"(b));                             \
        return t;                                                                                            \
    }
VMX_2(addfp, v_float)
VMX_2(subfp, v_float)
VMX_2(maxfp, v_float)
VMX_2(minfp, v_float)
VMX_2(cmpgtfp, v_masks)
VMX_2(cmpgefp, v_masks)
VMX_2(cmpbfp, v_masks)
VMX_3(maddfp)
VMX_3(nmsubfp)
VMX_1(rfin, v_float, v_float)
VMX_1(rfiz, v_float, v_float)
VMX_1(rfim, v_float, v_float)
VMX_1(rfip, v_float, v_float)

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < 64; ++i) {
        for (int k = 0; k < 4; ++k) {
            sum = xorshift(sum);
            table[i][k] = (float)(int32_t)(sum >> 20) / 16777216.0F;
        }
    }
    const v_float half = vec_splats(0.5F);
    v_float a = table[1];
    v_masks masks = {0, 0, 0, 0};
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < 64; ++i) {
            const v_float b = table[i];
            a = maddfp(a, half, b);
            const v_float c = nmsubfp(b, half, subfp(a, b));
            masks ^= cmpgtfp(a, c) ^ cmpgefp(b, c) ^ cmpbfp(c, a);
            const v_float d = addfp(rfin(c), subfp(rfiz(a), addfp(rfim(b), rfip(c))));
            const v_words whole = vec_cts(maxfp(d, minfp(a, c)), 8);
            a = minfp(maxfp(addfp(a, vec_ctf(whole, 12)), vec_splats(-1000.0F)), vec_splats(1000.0F));
        }
        sum = xorshift(sum);
        table[round % 64] = vec_ctf((v_words){(int)sum, (int)(sum >> 32), (int)sum ^ 77, (int)(sum >> 16)},
                                    24);
        sum = mixed(sum, ((__vector unsigned long long)masks)[0] ^ ((__vector unsigned long long)a)[1]);
    }
    return sum;
}
