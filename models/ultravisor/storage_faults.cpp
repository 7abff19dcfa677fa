// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <fmt/format.h>

#include "ultravisor/ultravisor.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using cpu::fault_outcome;
using memory::access_kind;
using memory::page_state;

cpu::fault_outcome ultravisor::storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                                 cpu::trap_context& context) {
    if (!secure()) {
        context.terminated = true;
        return fault_outcome::terminated;
    }
    const abi::gfn page = abi::gfn_of(fault.at);
    if (vm_.owns(page)) {
        context.delay += costs_.ultracall;
        shows_.page_faults.add();
        return page_fault(page, fault.kind, state, context);
    }
    if (fault.kind == access_kind::fetch) {
        return fault_outcome::bus_error;
    }
    return mmio(fault, state, context);
}

/// | page state               | data                          | fetch              |
/// |--------------------------|-------------------------------|--------------------|
/// | PAGEDOUT                 | asked for                     | asked for          |
/// | SHARED_INV               | asked for again               | never executes     |
/// | SHARED_IMPLICIT(_INV)    | the guest is ended            | never executes     |
/// | SHARED                   | tried again                   | never executes     |
/// | SECURE, PSEUDO_SHARED(_INV), in transit | tried again    | tried again        |
cpu::fault_outcome ultravisor::page_fault(abi::gfn page, access_kind kind, const power::registers& state,
                                          cpu::trap_context& context) {
    const std::uint64_t gpa = abi::page_base(page).value();
    const bool fetch = kind == access_kind::fetch;
    switch (vm_.page(page)) {
    case page_state::paged_out:
        if (bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context)) {
            return fault_outcome::retry;
        }
        break;
    case page_state::shared_inv:
        if (fetch) {
            return fault_outcome::bus_error;
        }
        if (bring_in(page, page_state::shared_inv, abi::h_page_in_shared, state, context)) {
            return fault_outcome::retry;
        }
        break;
    case page_state::shared_implicit:
    case page_state::shared_implicit_inv:
        if (fetch) {
            return fault_outcome::bus_error;
        }
        end_guest("the guest touched a page that the Ultravisor shares for it", gpa, context);
        return fault_outcome::terminated;
    case page_state::shared:
        return fetch ? fault_outcome::bus_error : fault_outcome::retry;
    default:
        return fault_outcome::retry;
    }
    if (secure()) {
        end_guest("the hypervisor cannot bring back a page", gpa, context);
    }
    return fault_outcome::terminated;
}

bool ultravisor::bring_in(abi::gfn page, page_state missing, std::uint64_t flags,
                          const power::registers& state, cpu::trap_context& context) {
    const vm_state before = vm_.state();
    for (unsigned tries = 0; tries < max_page_in_tries && vm_.page(page) == missing; ++tries) {
        const hcall_answer reply = call(
            hcall::h_svm_page_in, {abi::page_base(page).value(), flags, abi::uv_page_order}, state, context);
        if (reply.status != h_status::h_success || vm_.state() != before) {
            break;
        }
    }
    return vm_.state() == before && vm_.page(page) != missing;
}

cpu::fault_outcome ultravisor::mmio(cpu::storage_fault& fault, const power::registers& state,
                                    cpu::trap_context& context) {
    if (!std::has_single_bit(fault.size) || fault.size > sizeof(std::uint64_t)) {
        return fault_outcome::bus_error;
    }
    context.delay += costs_.reflection;
    shows_.mmio_reflected.add();
    // Only the bytes of the access are the hypervisor's to see, and the guest's to take.
    const bool store = fault.kind == access_kind::write;
    const hcall_answer reply = store ? call(hcall::h_logical_ci_store,
                                            {fault.size, fault.at.value(),
                                             abi::logical_ci_value(fault.value, fault.size)},
                                            state, context)
                                     : call(hcall::h_logical_ci_load, {fault.size, fault.at.value()}, state,
                                            context);
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

}  // namespace pefsim::ultravisor
