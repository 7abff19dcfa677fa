/* SPDX-License-Identifier: Apache-2.0 */
#include "pefsim.h"

/* Up to 16 characters a call, the first in the most significant byte of R6. */
static void put(const char *text, u64 length) {
    u64 words[2] = {0, 0};
    for (u64 i = 0; i < length; ++i)
        words[i / 8] |= (u64)(u8)text[i] << (56 - 8 * (i % 8));
    hypercall(H_PUT_TERM_CHAR, CONSOLE, length, words[0], words[1]);
}

void print(const char *text) {
    while (*text) {
        u64 length = 0;
        while (length < 16 && text[length])
            ++length;
        put(text, length);
        text += length;
    }
}

static void print_digits(u64 value, unsigned base) {
    char digits[21];
    char *first = digits + sizeof digits - 1;
    *first = 0;
    do {
        *--first = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    print(first);
}

void print_number(u64 value) { print_digits(value, 10); }

void print_hex(u64 value) {
    print("0x");
    print_digits(value, 16);
}

int get_char(void) {
    static u64 waiting[2];
    static u64 count, next;
    if (next == count) {
        const struct results typed = hypercall(H_GET_TERM_CHAR, CONSOLE, 0, 0, 0);
        count = typed.status == 0 ? typed.r4 : 0;
        next = 0;
        waiting[0] = typed.r5;
        waiting[1] = typed.r6;
    }
    if (next == count)
        return -1;
    const u64 at = next++;
    return waiting[at / 8] >> (56 - 8 * (at % 8)) & 0xff;
}

void exit(int status) {
    hypercall(H_EXIT, (u64)status, 0, 0, 0);
    for (;;)
        ;
}

/* A program without interrupts of its own does not expect any. */
__attribute__((weak)) void handle_interrupt(u64 vector, struct interrupt_frame *frame) {
    print("unexpected interrupt ");
    print_hex(vector);
    print(" at ");
    print_hex(frame->nip);
    print(", SRR1 ");
    print_hex(frame->msr);
    print(", DAR ");
    print_hex(read_spr(SPR_DAR));
    print(", DSISR ");
    print_hex(read_spr(SPR_DSISR));
    print("\n");
    exit(255);
}

/* What gcc may call. */
void *memset(void *to, int value, u64 size) {
    for (u64 i = 0; i < size; ++i)
        ((volatile u8 *)to)[i] = (u8)value;
    return to;
}
void *memcpy(void *to, const void *from, u64 size) {
    for (u64 i = 0; i < size; ++i)
        ((volatile u8 *)to)[i] = ((const u8 *)from)[i];
    return to;
}
