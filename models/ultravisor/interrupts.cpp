// SPDX-License-Identifier: Apache-2.0
#include "cpu/host_interrupt.h"
#include "ultravisor/firmware.h"

namespace pefsim::ultravisor {

namespace {

constexpr bool returns_to_guest(cpu::host_interrupt which) {
    return which == cpu::host_interrupt::external || which == cpu::host_interrupt::emulation_assistance;
}

}  // namespace

void interrupt(firmware& here, cpu::host_interrupt which, const power::registers& state,
               cpu::trap_context& context) {
    here.shows.interrupts.add(static_cast<std::size_t>(which));
    const shown_call showing(here.shows.interrupt, cpu::info_of(which).name, context);
    if (returns_to_guest(which)) {
        context.delay += here.costs.interrupt_return;
        return;
    }
    context.delay += here.costs.reflection;
    here.host.reflect(which, state, context);
}

}  // namespace pefsim::ultravisor
