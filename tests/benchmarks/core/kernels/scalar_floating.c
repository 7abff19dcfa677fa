/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

/* Planets around a star, a Mandelbrot set, polynomials in double and single precision, sums of integers. */

enum { bodies = 5 };
static double position[bodies][3], velocity[bodies][3], mass[bodies];

static void begin(void) {
    for (int i = 0; i < bodies; ++i) {
        mass[i] = i == 0 ? 39.5 : 0.03 / (i * i);
        for (int k = 0; k < 3; ++k) {
            position[i][k] = i * (k == i % 3 ? 4.5 : -1.25);
            velocity[i][k] = (k == (i + 1) % 3 ? 1.5 : 0.125) / (i + 1);
        }
    }
}

static void advance(double step) {
    for (int i = 0; i < bodies; ++i) {
        for (int j = i + 1; j < bodies; ++j) {
            double way[3];
            double square = 0;
            for (int k = 0; k < 3; ++k) {
                way[k] = position[i][k] - position[j][k];
                square += way[k] * way[k];
            }
            const double pull = step / (square * __builtin_sqrt(square));
            for (int k = 0; k < 3; ++k) {
                velocity[i][k] -= way[k] * mass[j] * pull;
                velocity[j][k] += way[k] * mass[i] * pull;
            }
        }
    }
    for (int i = 0; i < bodies; ++i) {
        for (int k = 0; k < 3; ++k) {
            position[i][k] += step * velocity[i][k];
        }
    }
}

static int escapes(double x, double y) {
    double a = 0;
    double b = 0;
    int n = 0;
    for (; n < 100 && a * a + b * b < 4; ++n) {
        const double t = a * a - b * b + x;
        b = 2 * a * b + y;
        a = t;
    }
    return n;
}

static float polynomial(float x) {
    float sum = 0;
    for (int i = 1; i <= 24; ++i) {
        sum = sum * x + 1.0F / (float)i;
    }
    return sum;
}

static uint64_t bits(double value) {
    uint64_t word;
    __builtin_memcpy(&word, &value, sizeof word);
    return word;
}

uint64_t kernel(uint64_t rounds) {
    uint64_t sum = 0;
    begin();
    for (uint64_t round = 0; round < rounds; ++round) {
        for (int i = 0; i < 40; ++i) {
            advance(0.0009765625);
        }
        for (int i = 0; i < 16; ++i) {
            sum += (uint64_t)escapes((double)(int64_t)(round & 255) / 128 - 1.5, i * 0.0625 - 0.5);
            sum = mixed(sum, bits(polynomial((float)i * 0.0625F - 0.5F)));
        }
        sum = mixed(sum, bits(position[1][0]) ^ bits(velocity[2][1]));
    }
    return sum;
}
