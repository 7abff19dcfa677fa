/* SPDX-License-Identifier: Apache-2.0 */
#include <altivec.h>

#include "kernel.h"

/* Double and single precision in vectors: multiply-add, divide, root, minimum and maximum, compare and select. */

enum { size = 256 };

typedef __vector double v_double;
typedef __vector float v_float;

static double x[size], y[size], z[size];
static float p[size], q[size], r[size];

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (int i = 0; i < size; ++i) {
        sum = xorshift(sum);
        x[i] = (double)(sum >> 40) / 65536 - 100;
        y[i] = (double)(sum & 0xffff) / 4096 + 0.25;
        p[i] = (float)x[i];
        q[i] = (float)y[i];
    }
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < size; ++i) {
            z[i] = z[i] * 0.5 + x[i] * y[i];
            r[i] = r[i] * 0.25F + p[i] * q[i];
        }
        for (int i = 0; i < size; i += 2) {
            const v_double a = vec_xl(0, x + i);
            const v_double b = vec_xl(0, y + i);
            v_double c = vec_xl(0, z + i);
            c = vec_div(vec_nmsub(a, b, c), vec_add(b, vec_sqrt(vec_abs(a))));
            c = vec_sel(vec_max(c, a), vec_min(c, b), vec_cmpgt(c, vec_mul(a, b)));
            vec_xst(c, 0, z + i);
        }
        for (int i = 0; i < size; i += 4) {
            const v_float a = vec_xl(0, p + i);
            const v_float b = vec_xl(0, q + i);
            v_float c = vec_xl(0, r + i);
            c = vec_div(vec_madd(a, b, c), vec_add(b, vec_sqrt(vec_abs(a))));
            c = vec_sel(vec_max(c, a), vec_min(c, b), vec_cmpge(c, vec_sub(a, b)));
            vec_xst(c, 0, r + i);
        }
        double total = 0;
        for (int i = 0; i < size; i += 16) {
            total += z[i] - (double)r[i + 1];
        }
        x[round % size] = total * 0.0078125;
        sum = mixed_bytes(sum, &total, sizeof total);
    }
    return sum;
}
