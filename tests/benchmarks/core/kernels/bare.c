/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

enum { H_PUT_TERM_CHAR = 0x58, H_RTAS = 0xf000, RTAS_POWER_OFF = 0x2003 };
#define FIRST_TERMINAL UINT64_C(0x71000000) /* where pseries puts it; pefsim's has the same */

static void hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    register uint64_t r3 __asm__("r3") = number;
    register uint64_t r4 __asm__("r4") = a;
    register uint64_t r5 __asm__("r5") = b;
    register uint64_t r6 __asm__("r6") = c;
    register uint64_t r7 __asm__("r7") = d;
    __asm__ volatile("sc 1"
                     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
                     :
                     : "r0", "r8", "r9", "r10", "r11", "r12", "ctr", "xer", "cr0", "cr1", "cr5", "cr6", "cr7",
                       "memory");
}

/* The hypervisor takes up to sixteen characters, the first in the most significant byte of the first register. */
static void print(const char* text) {
    for (; *text != 0; ++text) {
        hypercall(H_PUT_TERM_CHAR, FIRST_TERMINAL, 1, (uint64_t)(unsigned char)*text << 56, 0);
    }
}

/* Entered by start.S with the number of rounds. Prints what linux.c prints, and switches the machine off. */
void bare_main(uint64_t rounds) {
    const uint64_t result = kernel(rounds);
    char text[18];
    for (int i = 0; i < 16; ++i) {
        text[i] = "0123456789abcdef"[result >> (60 - 4 * i) & 15];
    }
    text[16] = '\n';
    text[17] = 0;
    print(text);
    /* ibm,rtas-power-off with two masks: token, inputs, outputs, then both; big-endian words */
    static uint32_t call[6];
    call[0] = __builtin_bswap32(RTAS_POWER_OFF);
    call[1] = __builtin_bswap32(2);
    call[2] = __builtin_bswap32(1);
    hypercall(H_RTAS, (uint64_t)call, 0, 0, 0);
    for (;;) {
    }
}
