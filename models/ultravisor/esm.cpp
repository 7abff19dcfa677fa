// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "abi/platform.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::page_state;

ultravisor::answer ultravisor::uv_esm(power::registers& state, cpu::trap_context& context) {
    const abi::phys_addr kbase{state.gpr[4]};
    const abi::phys_addr fdt{state.gpr[5]};
    if (kbase.value() == 0) {
        return {u_status::u_p2, "kbase is 0"};
    }
    if (fdt.value() == 0) {
        return {u_status::u_p3, "fdt is 0"};
    }
    if (state[power::spr::lpidr] != abi::platform::lpid) {
        return {u_status::u_permission, "LPIDR is not that of a virtual machine"};
    }
    if (secure() && (state.msr & power::msr_s) != 0) {
        return {};
    }
    if (vm_.state() != vm_state::normal && vm_.state() != vm_state::terminated) {
        return {.status = u_status::u_retry};
    }

    vm_.begin();
    show_state(context);
    if (const auto failure = move_to_secure_memory(kbase, fdt, state, context)) {
        return abort_esm(*failure, state, context);
    }
    vm_.commit(context.now());
    show_state(context);

    state.msr |= power::msr_s;
    if (parameters_.entry == esm_entry::return_to_caller) {
        return {};
    }
    state.msr &= ~power::msr_ee;
    state.nip = kbase.value();
    state.gpr[3] = fdt.value();
    state.gpr[4] = kbase.value();
    state.gpr[5] = 0;
    return {.resumes_elsewhere = true};
}

// The hypervisor registers its slots, brings the pages that the Ultravisor wants to see (kernel and device tree) and, at
// H_SVM_INIT_DONE, all others.
std::optional<ultravisor::answer> ultravisor::move_to_secure_memory(abi::phys_addr kbase, abi::phys_addr fdt,
                                                                    const power::registers& state,
                                                                    cpu::trap_context& context) {
    const h_status started = call(hcall::h_svm_init_start, {}, state, context).status;
    if (started == h_status::h_authority) {
        return answer{u_status::u_permission, "H_SVM_INIT_START: secure guests are not allowed"};
    }
    if (started != h_status::h_success) {
        return answer{u_status::u_function, "H_SVM_INIT_START failed"};
    }
    struct wanted {
        abi::phys_addr at;
        std::string_view why;
    };
    const std::array pages{wanted{kbase, "the page at kbase did not come"},
                           wanted{fdt, "the page at fdt did not come"}};
    for (const auto& [at, why] : pages) {
        const abi::gfn page = abi::gfn_of(at);
        if (!vm_.owns(page) || (vm_.page(page) != page_state::secure &&
                                !bring_in(page, vm_.page(page), abi::h_page_in_nonshared, state, context))) {
            return answer{u_status::u_parameter, why, at.value()};
        }
    }
    if (call(hcall::h_svm_init_done, {}, state, context).status != h_status::h_success) {
        return answer{u_status::u_parameter, "H_SVM_INIT_DONE failed"};
    }
    if (vm_.state() != vm_state::transient) {
        return answer{u_status::u_parameter, "the hypervisor terminated the virtual machine"};
    }
    return std::nullopt;
}

// The hypervisor takes its pages back and terminates the secure virtual machine; the guest goes on as an ordinary one and
// sees the hypervisor's answer (H_PARAMETER) as the failure of UV_ESM.
ultravisor::answer ultravisor::abort_esm(answer failure, const power::registers& state,
                                         cpu::trap_context& context) {
    if (vm_.state() != vm_state::transient) {
        return failure;
    }
    // What was paged out is ciphertext in the host's hands: it can go back as plaintext only from here.
    for (abi::gfn page = 0; page < bus_.ram().pages(); ++page) {
        if (vm_.page(page) == page_state::paged_out) {
            bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context);
        }
    }
    if (vm_.state() != vm_state::transient) {
        return failure;
    }
    vm_.abort();
    show_state(context);
    const h_status aborted = call(hcall::h_svm_init_abort, {}, state, context).status;
    if (vm_.state() == vm_state::aborted && bus_.states().count(page_state::normal) == bus_.states().size()) {
        // The hypervisor had nothing to take back, and refused before it began.
        vm_.release(vm_state::normal, context.now());
        show_state(context);
    }
    if (failure.status == u_status::u_parameter && aborted != h_status::h_success) {
        failure.status = static_cast<u_status>(aborted);
    }
    return failure;
}

}  // namespace pefsim::ultravisor
