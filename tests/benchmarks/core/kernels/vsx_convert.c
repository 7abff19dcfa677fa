/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Conversions between double, single, half and integers, and the five ways to an integral number, in vectors. */

enum { size = 128 };

typedef __vector double v_double;
typedef __vector float v_float;
typedef __vector signed long long v_dwords;
typedef __vector signed int v_words;

static double x[size], y[size];
static int64_t n[size];
static float p[2 * size];
static int32_t k[2 * size];

#define VSX(name, type, from)                                                                                \
    static inline type name(from b) {                                                                        \
        type t;                                                                                              \
        __asm__(#name " %x0, %x1" : "=wa"(t) : "wa"(b));                                                     \
        return t;                                                                                            \
    }
VSX(xvrdpi, v_double, v_double)
VSX(xvrdpic, v_double, v_double)
VSX(xvrdpim, v_double, v_double)
VSX(xvrdpip, v_double, v_double)
VSX(xvrdpiz, v_double, v_double)
VSX(xvrspi, v_float, v_float)
VSX(xvrspic, v_float, v_float)
VSX(xvrspim, v_float, v_float)
VSX(xvrspip, v_float, v_float)
VSX(xvrspiz, v_float, v_float)
VSX(xvcvdpsp, v_float, v_double)
VSX(xvcvspdp, v_double, v_float)
VSX(xvcvsphp, v_words, v_float)
VSX(xvcvhpsp, v_float, v_words)
VSX(xvcvdpsxws, v_words, v_double)
VSX(xvcvsxwdp, v_double, v_words)
VSX(xvcvspsxds, v_dwords, v_float)

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < size; ++i) {
        sum = xorshift(sum);
        x[i] = (double)(int32_t)(sum >> 16) / 32768;
        n[i] = (int32_t)sum;
        p[2 * i] = (float)x[i] / 16;
        p[2 * i + 1] = (float)n[i] / 1048576;
    }
    for (uint64_t round = 0; round < rounds; ++round) {
        /* Left to the compiler. */
        for (int i = 0; i < size; ++i) {
            y[i] = (double)n[i] * 0.5;
            n[i] = (int64_t)(x[i] * 1.5);
        }
        for (int i = 0; i < 2 * size; ++i) {
            k[i] = (int32_t)p[i];
            p[i] = p[i] + (float)(k[i] & 15) * 0.0625F - 0.46875F;
        }
        /* Chosen. */
        for (int i = 0; i < size; i += 2) {
            const v_double b = vec_xl(0, x + i);
            const v_double whole = xvrdpi(b) + xvrdpim(b) - xvrdpip(b) - xvrdpiz(b) + xvrdpic(b);
            const v_double narrow = xvcvspdp(xvcvdpsp(b)) + xvcvsxwdp(xvcvdpsxws(b));
            vec_xst(whole * 0.25 + narrow * 0.25, 0, x + i);
            const v_float f = vec_xl(0, p + i);
            const v_float g = xvrspi(f) + xvrspim(f) - xvrspip(f) - xvrspiz(f) + xvrspic(f);
            const v_dwords d = xvcvspsxds(f);
            vec_xst(xvcvhpsp(xvcvsphp(g)) * 0.5F + f * 0.25F, 0, p + i);
            n[i] ^= d[0] & 255;
        }
        x[round % size] = (double)(int64_t)(round & 0xffff) + 0.375;
        sum = mixed_bytes(sum, x + round % size / 2, 16);
        sum = mixed_bytes(sum, p + round % size, 8);
        sum = mixed(sum, (uint64_t)n[round % size]);
    }
    return sum;
}
