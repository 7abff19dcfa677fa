/* SPDX-License-Identifier: Apache-2.0
 *
 * Something for a debugger to look at.
 */
#include "pefsim.h"

volatile u64 watched;
volatile u64 sum;
u64 numbers[4] = {1, 20, 300, 4000};

__attribute__((noinline)) void add(u64 value) {
    sum += value;
    if (sum == 321)
        watched = 77;
}

int main(u64 cpu) {
    for (int i = 0; i < 4; ++i)
        add(numbers[i]);
    print_number(sum);
    print("\n");
    return (int)cpu + 5;
}
