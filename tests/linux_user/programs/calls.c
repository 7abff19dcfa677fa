/* SPDX-License-Identifier: Apache-2.0
 *
 * Something for a debugger, a profile and an instruction trace to look at: nearly all of it is in inner(), which outer()
 * calls. With an argument, it stores to where nothing is in the end.
 */
#include <stdio.h>

volatile unsigned long sum;
volatile int watched;

__attribute__((noinline)) void inner(unsigned long n) {
    for (unsigned long i = 0; i < n; ++i)
        sum += i;
}

__attribute__((noinline)) void outer(unsigned long n) {
    for (int i = 0; i < 100; ++i)
        inner(n);
    watched = 77;
}

int main(int argc, char **argv) {
    (void)argv;
    outer(1000);
    printf("%lu\n", sum);
    fflush(stdout);
    if (argc > 1)
        *(volatile int *)8 = 1;
    return 5;
}
