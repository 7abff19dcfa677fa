/* SPDX-License-Identifier: Apache-2.0
 *
 * Five decrementer interrupts, 100 us apart by the time base; between them the CPU idles in H_CEDE.
 */
#include "pefsim.h"

#define PERIOD (100 * TICKS_PER_US)

static volatile u64 ticks;
static u64 due;

void handle_interrupt(u64 vector, struct interrupt_frame *frame) {
    if (vector != 0x900) {
        print("unexpected interrupt ");
        print_hex(vector);
        print(" at ");
        print_hex(frame->nip);
        print("\n");
        exit(1);
    }
    const u64 now = read_spr(SPR_TB);
    ++ticks;
    print("tick ");
    print_number(ticks);
    print(now >= due && now - due < PERIOD / 10 ? " in time\n" : " not in time\n");
    due += PERIOD;
    write_spr(SPR_DEC, due - read_spr(SPR_TB));
}

int main(u64 cpu) {
    if (cpu != 0)
        for (;;)
            hypercall(H_CEDE, 0, 0, 0, 0);
    due = read_spr(SPR_TB) + PERIOD;
    write_spr(SPR_DEC, PERIOD);
    while (ticks < 5)
        hypercall(H_CEDE, 0, 0, 0, 0); /* enables interrupts */
    return 0;
}
