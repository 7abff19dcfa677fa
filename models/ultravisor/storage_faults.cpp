// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <fmt/format.h>

#include "ultravisor/firmware.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using cpu::fault_outcome;
using memory::access_kind;
using memory::page_state;

namespace {

/// | page state               | data                          | fetch              |
/// |--------------------------|-------------------------------|--------------------|
/// | PAGEDOUT                 | asked for                     | asked for          |
/// | SHARED_INV               | asked for again               | never executes     |
/// | SHARED_IMPLICIT(_INV)    | the guest is ended            | never executes     |
/// | SHARED                   | tried again                   | never executes     |
/// | SECURE, PSEUDO_SHARED(_INV), in transit | tried again    | tried again        |
cpu::fault_outcome page_fault(firmware& here, abi::gfn page, access_kind kind, const power::registers& state,
                              cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    const bool fetch = kind == access_kind::fetch;
    switch (here.vm.page(page)) {
    case page_state::paged_out:
        if (here.host.bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context)) {
            return fault_outcome::retry;
        }
        break;
    case page_state::shared_inv:
        if (fetch) {
            return fault_outcome::bus_error;
        }
        if (here.host.bring_in(page, page_state::shared_inv, abi::h_page_in_shared, state, context)) {
            return fault_outcome::retry;
        }
        break;
    case page_state::shared_implicit:
    case page_state::shared_implicit_inv:
        if (fetch) {
            return fault_outcome::bus_error;
        }
        here.guest.end("the guest touched a page that the Ultravisor shares for it", gpa, context);
        return fault_outcome::terminated;
    case page_state::shared:
        return fetch ? fault_outcome::bus_error : fault_outcome::retry;
    default:
        return fault_outcome::retry;
    }
    if (here.guest.secure()) {
        here.guest.end("the hypervisor cannot bring back a page", gpa, context);
    }
    return fault_outcome::terminated;
}

cpu::fault_outcome mmio(firmware& here, cpu::storage_fault& fault, const power::registers& state,
                        cpu::trap_context& context) {
    if (!std::has_single_bit(fault.size) || fault.size > sizeof(std::uint64_t)) {
        return fault_outcome::bus_error;
    }
    context.delay += here.costs.reflection;
    here.shows.mmio_reflected.add();
    // Only the bytes of the access are the hypervisor's to see, and the guest's to take.
    const bool store = fault.kind == access_kind::write;
    const hypervisor_calls::answer reply =
        store ? here.host.call(hcall::h_logical_ci_store,
                               {fault.size, fault.at.value(), abi::logical_ci_value(fault.value, fault.size)},
                               state, context)
              : here.host.call(hcall::h_logical_ci_load, {fault.size, fault.at.value()}, state, context);
    if (context.terminated) {
        return fault_outcome::terminated;
    }
    if (reply.status != h_status::h_success) {
        return fault_outcome::bus_error;
    }
    if (!store) {
        fault.value = abi::logical_ci_value(reply.r4, fault.size);
    }
    return fault_outcome::emulated;
}

}  // namespace

fault_outcome storage_interrupt(firmware& here, cpu::storage_fault& fault, const power::registers& state,
                                cpu::trap_context& context) {
    if (!here.guest.secure()) {
        context.terminated = true;
        return fault_outcome::terminated;
    }
    const abi::gfn page = abi::gfn_of(fault.at);
    if (here.vm.owns(page)) {
        context.delay += here.costs.ultracall;
        here.shows.page_faults.add();
        return page_fault(here, page, fault.kind, state, context);
    }
    if (here.vm.taken(page)) {
        // As MMIO its bytes would be the hypervisor's.
        here.guest.end("the hypervisor has taken the memory slot of a page that the guest uses",
                       abi::page_base(page).value(), context);
        return fault_outcome::terminated;
    }
    if (fault.kind == access_kind::fetch) {
        return fault_outcome::bus_error;
    }
    return mmio(here, fault, state, context);
}

}  // namespace pefsim::ultravisor
