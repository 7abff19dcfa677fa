/* SPDX-License-Identifier: Apache-2.0
 *
 * Two CPUs count together, by reservations (bare_metal --cpus 2).
 */
#include "pefsim.h"

#define EACH 1000
#define PATIENCE (1000 * TICKS_PER_US)

static u64 counter;
static u64 finished;

static void add(u64 *to, u64 amount) {
    u64 value;
    __asm__ volatile("1: ldarx %0, 0, %1\n"
                     "   add %0, %0, %2\n"
                     "   stdcx. %0, 0, %1\n"
                     "   bne- 1b"
                     : "=&r"(value)
                     : "r"(to), "r"(amount)
                     : "cr0", "memory");
}

int main(u64 cpu) {
    for (u64 i = 0; i < EACH; ++i)
        add(&counter, 1);
    __asm__ volatile("lwsync" : : : "memory");
    add(&finished, 1);
    if (cpu != 0)
        for (;;)
            ;
    const u64 end = read_spr(SPR_TB) + PATIENCE;
    while (*(volatile u64 *)&finished < 2)
        if (read_spr(SPR_TB) > end) {
            print("CPU 1 does not count; was it --cpus 2?\n");
            return 1;
        }
    print("counted to ");
    print_number(*(volatile u64 *)&counter);
    print("\n");
    return counter == 2 * EACH ? 0 : 1;
}
