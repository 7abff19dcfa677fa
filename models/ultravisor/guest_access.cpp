// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/guest_access.h"

namespace pefsim::ultravisor {

using memory::page_state;

namespace {

bool bring_in(firmware& here, abi::phys_addr at, std::size_t size, const power::registers& state,
              cpu::trap_context& context) {
    const abi::gfn first = abi::gfn_of(at);
    const std::uint64_t pages = ((at.value() & (abi::page_size - 1)) + size + abi::page_size - 1) >>
                                abi::page_shift;
    if (!here.vm.slots().contains(first, pages)) {
        return false;
    }
    for (abi::gfn page = first; page < first + pages; ++page) {
        switch (const page_state now = here.vm.page(page)) {
        case page_state::normal:  // while the guest becomes secure: its pages are on their way
        case page_state::paged_out:
            if (!here.host.bring_in(page, now, abi::h_page_in_nonshared, state, context)) {
                return false;
            }
            break;
        case page_state::shared_inv:
        case page_state::shared_implicit_inv:
            if (!here.host.bring_in(page, now, abi::h_page_in_shared, state, context)) {
                return false;
            }
            break;
        default:
            break;
        }
    }
    return true;
}

}  // namespace

bool read_guest(firmware& here, abi::phys_addr from, std::span<std::byte> to, const power::registers& state,
                cpu::trap_context& context) {
    return to.empty() ||
           (bring_in(here, from, to.size(), state, context) && here.memory.read(from, to, context.delay));
}

bool write_guest(firmware& here, abi::phys_addr to, std::span<const std::byte> from,
                 const power::registers& state, cpu::trap_context& context) {
    if (from.empty()) {
        return true;
    }
    if (!bring_in(here, to, from.size(), state, context)) {
        return false;
    }
    here.memory.write_for(context.writer);
    return here.memory.write(to, from, context.delay);
}

}  // namespace pefsim::ultravisor
