/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that call each other in known ways: with and without frames, twice from one place, themselves.
 */
#include "pefsim.h"

static volatile u64 sum;

__attribute__((noinline)) static void inner(u64 value) { sum += value; }

__attribute__((noinline)) static void middle(u64 value) {
    inner(value);
    inner(value + 1);
    sum ^= value; /* no tail call */
}

__attribute__((noinline)) static u64 countdown(u64 n) {
    const u64 rest = n == 0 ? 0 : countdown(n - 1);
    sum += n;
    return rest + 1;
}

__attribute__((noinline)) static u64 outer(void) {
    for (u64 n = 0; n < 50; ++n) {
        middle(n);
        inner(n);
    }
    return countdown(2) + 1;
}

int main(u64 cpu) { return cpu == 0 && outer() == 4 ? 0 : 1; }
