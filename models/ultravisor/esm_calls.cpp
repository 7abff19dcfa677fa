// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "abi/platform.h"
#include "ultravisor/esm_image.h"
#include "ultravisor/service.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::page_state;

namespace {

// The hypervisor registers its slots, brings the pages that the Ultravisor wants to see (kernel and device tree) and,
// at H_SVM_INIT_DONE, all others.
std::optional<answer> move_to_secure_memory(firmware& here, abi::phys_addr kbase, abi::phys_addr fdt,
                                            const power::registers& state, cpu::trap_context& context) {
    const h_status started = here.host.call(hcall::h_svm_init_start, {}, state, context).status;
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
        if (!here.vm.owns(page) ||
            (here.vm.page(page) != page_state::secure &&
             !here.host.bring_in(page, here.vm.page(page), abi::h_page_in_nonshared, state, context))) {
            return answer{u_status::u_parameter, why, at.value()};
        }
    }
    const image_verdict image = check_image(here, kbase, fdt, state, context);
    if (image.refusal) {
        return image.refusal;
    }
    if (here.host.call(hcall::h_svm_init_done, {}, state, context).status != h_status::h_success) {
        return answer{u_status::u_parameter, "H_SVM_INIT_DONE failed"};
    }
    if (here.vm.state() != vm_state::transient) {
        return answer{u_status::u_parameter, "the hypervisor terminated the virtual machine"};
    }
    if (image.verified && here.vm.lost_pages()) {
        return answer{u_status::u_parameter, "the hypervisor took a slot back with what was verified",
                      kbase.value()};
    }
    return std::nullopt;
}

// The hypervisor takes its pages back and terminates the secure virtual machine; the guest goes on as an ordinary one
// and sees the hypervisor's answer (H_PARAMETER) as the failure of UV_ESM.
answer abort_esm(firmware& here, answer failure, const power::registers& state, cpu::trap_context& context) {
    if (here.vm.state() != vm_state::transient) {
        return failure;
    }
    // What was paged out is ciphertext in the host's hands: it can go back as plaintext only from here.
    for (abi::gfn page = 0; page < here.bus.ram().pages(); ++page) {
        if (here.vm.page(page) == page_state::paged_out) {
            here.host.bring_in(page, page_state::paged_out, abi::h_page_in_nonshared, state, context);
        }
    }
    if (here.vm.state() != vm_state::transient) {
        return failure;
    }
    here.vm.abort();
    here.guest.show_state(context);
    const h_status aborted = here.host.call(hcall::h_svm_init_abort, {}, state, context).status;
    if (here.vm.state() == vm_state::aborted &&
        here.bus.states().count(page_state::normal) == here.bus.states().size()) {
        // The hypervisor had nothing to take back, and refused before it began.
        here.vm.release(vm_state::normal, context.now());
        here.guest.show_state(context);
    }
    if (failure.status == u_status::u_parameter && aborted != h_status::h_success) {
        failure.status = static_cast<u_status>(aborted);
    }
    return failure;
}

answer uv_esm(firmware& here, power::registers& state, cpu::trap_context& context) {
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
    if (here.guest.secure() && (state.msr & power::msr_s) != 0) {
        return {};
    }
    if (here.vm.state() != vm_state::normal && here.vm.state() != vm_state::terminated) {
        return {.status = u_status::u_retry};
    }

    here.vm.begin();
    here.guest.show_state(context);
    if (const auto failure = move_to_secure_memory(here, kbase, fdt, state, context)) {
        return abort_esm(here, *failure, state, context);
    }
    here.vm.commit(context.now());
    here.guest.show_state(context);

    state.msr |= power::msr_s;
    if (here.entry == esm_entry::return_to_caller) {
        return {};
    }
    state.msr &= ~power::msr_ee;
    state.nip = kbase.value();
    state.gpr[3] = fdt.value();
    state.gpr[4] = kbase.value();
    state.gpr[5] = 0;
    return {.resumes_elsewhere = true};
}

constexpr std::array rows{
    service{abi::ucall::uv_esm, uv_esm},
};

}  // namespace

std::span<const service> esm_services() { return rows; }

}  // namespace pefsim::ultravisor
