/* SPDX-License-Identifier: Apache-2.0
 *
 * What a bare-metal program can ask for: the platform's calls, a console, interrupts.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* --- calls (models/abi/hcall.h and ucall.h): number in R3, arguments from R4 on; status in R3, results from R4 on */

enum {
    H_GET_TERM_CHAR = 0x54,
    H_PUT_TERM_CHAR = 0x58,
    H_CEDE = 0xe0,
    H_RANDOM = 0x300,
    H_EXIT = 0xf0fc, /* ends the run; R4 is the exit status */

    UV_ESM = 0xf110, /* enter_secure() */
    UV_SHARE_PAGE = 0xf130,
    UV_UNSHARE_PAGE = 0xf134,
};

#define CONSOLE 0x71000000ul
#define PAGE_SIZE 65536ul
#define PAGE_SHIFT 16
#define whole_page __attribute__((aligned(PAGE_SIZE)))

struct results {
    long status;
    u64 r4, r5, r6;
};

#define CALL_(level)                                                                                         \
    register u64 r3 __asm__("r3") = number;                                                                  \
    register u64 r4 __asm__("r4") = a;                                                                       \
    register u64 r5 __asm__("r5") = b;                                                                       \
    register u64 r6 __asm__("r6") = c;                                                                       \
    register u64 r7 __asm__("r7") = d;                                                                       \
    __asm__ volatile("sc " #level                                                                            \
                     : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)                                      \
                     :                                                                                       \
                     : "r0", "r8", "r9", "r10", "r11", "r12", "lr", "ctr", "xer", "cr0", "cr1", "cr5",       \
                       "cr6", "cr7", "memory");                                                              \
    return (struct results) { (long)r3, r4, r5, r6 }

static inline struct results hypercall(u64 number, u64 a, u64 b, u64 c, u64 d) { CALL_(1); }
static inline struct results ultracall(u64 number, u64 a, u64 b, u64 c, u64 d) { CALL_(2); }

/* --- the processor */

#define read_spr(number)                                                                                     \
    ({                                                                                                       \
        u64 value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number));                                       \
        value_;                                                                                              \
    })
#define write_spr(number, value)                                                                             \
    __asm__ volatile("mtspr %0, %1" : : "i"(number), "r"((u64)(value)) : "memory")
enum { SPR_DSISR = 18, SPR_DAR = 19, SPR_DEC = 22, SPR_TB = 268, SPR_PIR = 1023 };

static inline u64 read_msr(void) {
    u64 value;
    __asm__ volatile("mfmsr %0" : "=r"(value));
    return value;
}
static inline void write_msr(u64 value) { __asm__ volatile("mtmsrd %0" : : "r"(value) : "memory"); }
#define MSR_S (1ul << 22)
#define MSR_EE (1ul << 15)
#define MSR_PR (1ul << 14)
#define TICKS_PER_US 512ul

/* Makes the guest secure (UV_ESM). `device_tree`: where a flattened one stands, or a page without one (a guest that has
 * no RTAS); the page becomes secure, like all others. Result: 0, or the status of the ultracall. Interrupts are
 * disabled afterwards. */
long enter_secure(const void* device_tree);

/* --- interrupts: head.S calls the program's own handle_interrupt(), or, if it has none, one that reports and exits */

struct interrupt_frame {
    u64 gpr[32], lr, ctr, xer, cr;
    u64 nip; /* SRR0: where the program goes on */
    u64 msr; /* SRR1 */
};
void handle_interrupt(u64 vector, struct interrupt_frame* frame);

/* --- console, pefsim.c */

void print(const char* text);
void print_hex(u64 value);
void print_number(u64 value);
/* -1: nothing has been typed. */
int get_char(void);

void exit(int status) __attribute__((noreturn));

/* The program. With several CPUs each of them comes here. Its result is the exit status. */
int main(u64 cpu);
