/* SPDX-License-Identifier: Apache-2.0
 *
 * sc 0, sc 1 and sc 2 from the kernel and from problem state, of an ordinary guest and of a secure one.
 */
#include "pefsim.h"

#define NOTHING 0x7fff

whole_page static const u32 device_tree[PAGE_SIZE / 4] = {0}; /* there is none */

/* Problem state is always translated. One process, one page of 1 GiB: effective addresses are real ones. All of it big-endian
 * (Power ISA 3.0B Book III 5.7). bare_metal --process-table process_table */
#define BIG(value) __builtin_bswap64(value)
whole_page u64 process_table[512];
whole_page static u64 root[8192];
whole_page static u64 upper[512];

static void map_all(void) {
    process_table[0] = BIG(2ul << 61 | (u64)root | 5 << 5 | 13); /* 52 bits of effective address; a root of 2^13 entries */
    root[0] = BIG(1ul << 63 | (u64)upper | 9);                  /* 2^9 entries */
    upper[0] = BIG(3ul << 62 | 0x180 | 7);                      /* leaf: referenced, changed; problem state may do everything */
    __asm__ volatile("ptesync" : : : "memory");
}

static u64 user_stack[512];
static u64 kernel_state[22]; /* r1, r2, r14 .. r31, LR */
static u64 system_calls;
static const char *of;

/* A number of the guest's own ends the excursion into problem state: sc 0 with R3 = 0x1234. */
void leave_user(void);

void handle_interrupt(u64 vector, struct interrupt_frame *frame) {
    if (vector != 0xc00 || !(frame->msr & MSR_PR)) {
        print("unexpected interrupt ");
        print_hex(vector);
        print("\n");
        exit(1);
    }
    ++system_calls;
    if (frame->gpr[3] == 0x1234) {
        frame->nip = (u64)leave_user;
        frame->msr &= ~MSR_PR;
        return;
    }
    frame->gpr[3] = 0x5ca11; /* the guest's kernel has served it */
}

static void tell(const char *what, long status) {
    print(of);
    print(what);
    if (status == 0x5ca11)
        print("system call");
    else if (status < 0) {
        print("-");
        print_number((u64)-status);
    } else
        print_number((u64)status);
    print("\n");
}

static volatile long in_user[4];

static void user(void) {
    in_user[0] = hypercall(H_RANDOM, 0, 0, 0, 0).status;
    in_user[1] = ultracall(UV_SHARE_PAGE, 1, 1, 0, 0).status;
    in_user[2] = ultracall(0xf1fc, 0, 0, 0, 0).status;
    register u64 r3 __asm__("r3") = 7;
    __asm__ volatile("sc 0" : "+r"(r3) : : "memory");
    in_user[3] = (long)r3;
    r3 = 0x1234;
    __asm__ volatile("sc 0" : "+r"(r3) : : "memory");
}

void run_user(void *stack, void (*function)(void), u64 *state);
__asm__(".text\n"
        ".globl run_user\n"
        "run_user:\n"
        "   std 1, 0(5)\n   std 2, 8(5)\n   mflr 0\n   std 0, 16(5)\n"
        ".irp r, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "   std \\r, (24 + (\\r - 14) * 8)(5)\n"
        ".endr\n"
        "   mtsrr0 4\n   mfmsr 0\n   ori 0, 0, 0x4000\n   mtsrr1 0\n"
        "   mr 1, 3\n   mr 12, 4\n   rfid\n"
        ".globl leave_user\n"
        "leave_user:\n"
        "   lis 5, kernel_state@ha\n   addi 5, 5, kernel_state@l\n"
        "   ld 1, 0(5)\n   ld 2, 8(5)\n   ld 0, 16(5)\n   mtlr 0\n"
        ".irp r, 14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
        "   ld \\r, (24 + (\\r - 14) * 8)(5)\n"
        ".endr\n"
        "   blr\n");

static void all_calls(const char *guest) {
    of = guest;
    system_calls = 0;
    for (int i = 0; i < 4; ++i)
        in_user[i] = NOTHING;
    run_user(user_stack + 500, user, kernel_state);
    tell("problem state sc 1: ", in_user[0]);
    tell("problem state sc 2 UV_SHARE_PAGE: ", in_user[1]);
    tell("problem state sc 2 0xf1fc: ", in_user[2]);
    tell("problem state sc 0: ", in_user[3]);
    tell("system calls: ", (long)system_calls);
    tell("kernel sc 1 H_RANDOM: ", hypercall(H_RANDOM, 0, 0, 0, 0).status);
    tell("kernel sc 1 0x7777: ", hypercall(0x7777, 0, 0, 0, 0).status);
    tell("kernel sc 2 UV_SHARE_PAGE: ", ultracall(UV_SHARE_PAGE, (u64)device_tree >> PAGE_SHIFT, 1, 0, 0).status);
    tell("kernel sc 2 0xf1fc: ", ultracall(0xf1fc, 0, 0, 0, 0).status);
}

int main(u64 cpu) {
    map_all();
    all_calls("ordinary ");
    if (enter_secure(device_tree) != 0)
        return 1;
    all_calls("secure ");
    return (int)cpu;
}
