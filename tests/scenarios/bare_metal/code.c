/* SPDX-License-Identifier: Apache-2.0
 *
 * Code that changes: written, overwritten, and overwritten while a loop executes it; and code and data of the other byte order.
 */
#include "pefsim.h"

static u32 generated[64] __attribute__((aligned(128)));

static void publish(void) {
    for (u64 at = (u64)generated; at < (u64)(generated + 64); at += 32)
        __asm__ volatile("dcbst 0,%0\n sync\n icbi 0,%0" : : "r"(at) : "memory");
    __asm__ volatile("sync\n isync" : : : "memory");
}

static u64 call_generated(u64 argument) {
    register u64 r3 __asm__("r3") = argument;
    __asm__ volatile("mtctr %1\n bctrl" : "+r"(r3) : "r"(generated) : "lr", "ctr", "memory");
    return r3;
}

/* Executes `addi r3,r3,amount` and changes the amount for the next time. */
static u64 changing(void) {
    u64 sum = 0;
    for (u32 amount = 1; amount <= 100; ++amount) {
        generated[0] = 0x38630000 | amount; /* addi r3,r3,amount */
        generated[1] = 0x4e800020;          /* blr */
        publish();
        sum = call_generated(sum);
    }
    return sum;
}

/* Reads a word, and an instruction, in big-endian order. */
u64 read_big_endian(const u32 *word);
__asm__(".text\n.globl read_big_endian\n"
        "read_big_endian:\n"
        "   mflr 0\n   mr 4, 0\n"
        "   bcl 20,31,1f\n"
        "1: mflr 5\n   addi 5, 5, 2f-1b\n   mtsrr0 5\n"
        "   mfmsr 6\n   xori 7, 6, 1\n   mtsrr1 7\n   rfid\n"
        "   .balign 4\n"
        "2: .long 0x00006380\n" /* lwz r3,0(r3) */
        "   .long 0x1800a538\n" /* addi r5,r5,24 */
        "   .long 0xa603ba7c\n" /* mtsrr0 r5 */
        "   .long 0xa603db7c\n" /* mtsrr1 r6 */
        "   .long 0x2400004c\n" /* rfid */
        "   .long 0x00000000\n"
        "   mtlr 4\n   blr\n");

int main(u64 cpu) {
    print("changed code: ");
    print_number(changing());
    print("\n");
    static const u32 word = 0x11223344;
    print("the other byte order: ");
    print_hex(read_big_endian(&word));
    print("\n");
    return (int)cpu;
}
