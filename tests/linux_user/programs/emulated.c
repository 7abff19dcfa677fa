// SPDX-License-Identifier: Apache-2.0
// Instructions that the POWER9 has no more, or not in little-endian mode, or not for programs: Linux executes them.
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static sigjmp_buf back;
static void jump_out(int signal, siginfo_t *info, void *context) {
    (void)context;
    printf("signal %d code %d\n", signal, info->si_code);
    siglongjmp(back, 1);
}

int main(void) {
    unsigned long cr, xer, value;
    asm volatile("mtxer %2\n mtcrf 0xff, %3\n .long 0x7d800400\n mfcr %0\n mfxer %1"  // mcrxr cr3
                 : "=r"(cr), "=r"(xer) : "r"(0xa0000005ul), "r"(0x12345678ul) : "cr0", "cr1", "cr2", "cr3", "cr4", "cr5", "cr6", "cr7", "xer");
    printf("mcrxr %08lx %08lx\n", cr, xer);
    asm volatile(".long 0x7c0005ec\n li %0, 7" : "=r"(value));  // dcba 0, r0
    printf("dcba %lu\n", value);
    asm volatile("li %0, 5\n mtspr 17, %0\n li %0, 0\n mfspr %0, 17" : "=&r"(value));
    printf("dscr %lu\n", value);

    static unsigned words[4] = {0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00};
    unsigned long a, b;
    asm volatile("mr 9, %2\n .long 0x7ca93caa\n mr %0, 5\n mr %1, 6"  // lswi r5, r9, 7
                 : "=&r"(a), "=&r"(b) : "r"(words) : "r5", "r6", "r9", "memory");
    printf("lswi %08lx %08lx\n", a, b);
    asm volatile("mr 9, %2\n .long 0xbbc90004\n mr %0, 30\n mr %1, 31" : "=&r"(a), "=&r"(b) : "r"(words) : "r9", "r30", "r31", "memory");
    printf("lmw %08lx %08lx\n", a, b);
    asm volatile("mr 9, %0\n li 30, 0x123\n li 31, 0x456\n .long 0xbfc90008" : : "r"(words) : "r9", "r30", "r31", "memory");
    printf("stmw %08x %08x\n", words[2], words[3]);

    struct sigaction action = {.sa_sigaction = jump_out, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (sigsetjmp(back, 1) == 0) asm volatile(".long 0");
    if (sigsetjmp(back, 1) == 0) asm volatile("li 9, 0\n .long 0xbbe90040" : : : "r9", "r31", "memory");
    return 0;
}
