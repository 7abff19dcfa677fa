/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Quad precision as numerical code has it: products of matrices, a solution by elimination, series, Newton's roots. */

enum { side = 12, terms = 24 };

static __float128 a[side][side], b[side][side], c[side][side], right[side];
static double data[side][side];

static void multiply(void) {
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            __float128 sum = 0;
            for (int k = 0; k < side; ++k) {
                sum += a[i][k] * b[k][j];
            }
            c[i][j] = sum;
        }
    }
}

/* Gauss's, with the largest of each column. */
static void solve(void) {
    for (int column = 0; column < side; ++column) {
        int pivot = column;
        for (int i = column + 1; i < side; ++i) {
            pivot = __builtin_fabsf128(c[i][column]) > __builtin_fabsf128(c[pivot][column]) ? i : pivot;
        }
        for (int k = 0; k < side; ++k) {
            const __float128 held = c[column][k];
            c[column][k] = c[pivot][k];
            c[pivot][k] = held;
        }
        const __float128 held = right[column];
        right[column] = right[pivot];
        right[pivot] = held;
        for (int i = column + 1; i < side; ++i) {
            const __float128 factor = c[i][column] / c[column][column];
            for (int k = column; k < side; ++k) {
                c[i][k] -= factor * c[column][k];
            }
            right[i] -= factor * right[column];
        }
    }
    for (int i = side; i-- > 0;) {
        for (int k = i + 1; k < side; ++k) {
            right[i] -= c[i][k] * right[k];
        }
        right[i] /= c[i][i];
    }
}

static __float128 exponential(__float128 x) {
    __float128 sum = 1;
    __float128 term = 1;
    for (int i = 1; i < terms; ++i) {
        term *= x / i;
        sum += term;
    }
    return sum;
}

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 1;
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < side; ++i) {
            for (int k = 0; k < side; ++k) {
                sum = xorshift(sum);
                data[i][k] = (double)(int32_t)sum / 65536;
            }
        }
        for (int i = 0; i < side; ++i) {
            for (int k = 0; k < side; ++k) {
                a[i][k] = (__float128)data[i][k] + (i == k ? 100000 : 0);
                b[k][i] = (__float128)data[k][i] / 3;
            }
            right[i] = a[i][0];
        }
        multiply();
        solve();
        const __float128 e = exponential(right[1] / 1024) + __builtin_sqrtf128(a[3][3]);
        unsigned char bytes[16];
        __builtin_memcpy(bytes, &e, sizeof e);
        sum = mixed_bytes(sum, bytes, sizeof bytes) | 1;
        sum += (uint64_t)(int64_t)(double)(right[2] * 1024);
    }
    return sum;
}
