/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

unsigned char arena[ARENA_SIZE];

/* PROGRAM ROUNDS: prints the kernel's result. */
int main(int argc, char** argv) {
    printf("%016llx\n", (unsigned long long)kernel(argc > 1 ? strtoull(argv[1], NULL, 0) : 1));
    return 0;
}
