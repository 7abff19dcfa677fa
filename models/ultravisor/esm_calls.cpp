// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "abi/platform.h"
#include "ultravisor/esm_image.h"
#include "ultravisor/guest_device_tree.h"
#include "ultravisor/service.h"
#include "ultravisor/sharing.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using abi::u_status;
using memory::page_state;

namespace {

// The hypervisor registers its slots and brings the pages that the Ultravisor wants to see: kernel and device tree.
std::optional<answer> begin_to_move(firmware& here, abi::phys_addr kbase, abi::phys_addr fdt,
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
    return std::nullopt;
}

// It brings all others.
std::optional<answer> move_the_rest(firmware& here, const power::registers& state,
                                    cpu::trap_context& context) {
    if (here.host.call(hcall::h_svm_init_done, {}, state, context).status != h_status::h_success) {
        return answer{u_status::u_parameter, "H_SVM_INIT_DONE failed"};
    }
    if (here.vm.state() != vm_state::transient) {
        return answer{u_status::u_parameter, "the hypervisor terminated the virtual machine"};
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

// RTAS of the secure guest needs a page that the host can read, of which the guest does not know; what firmware left
// for RTAS in the guest's memory stays the guest's, with a copy for the host in the same place.
std::optional<answer> share_for_rtas(firmware& here, guest_device_tree& tree, abi::phys_addr page,
                                     const power::registers& state, cpu::trap_context& context) {
    answer done = share(here, abi::gfn_of(page), 1, share_kind::implicitly, state, context);
    const auto rtas = tree.tree().number("/rtas", "linux,rtas-base");
    const auto size = tree.tree().number("/rtas", "rtas-size");
    if (done.status == u_status::u_success && rtas && size && *size != 0) {
        const abi::gfn first = abi::gfn_of(abi::phys_addr{*rtas});
        const abi::gfn last = abi::gfn_of(abi::phys_addr{*rtas + *size - 1});
        done = share(here, first, last - first + 1, share_kind::pseudo, state, context);
    }
    if (done.status != u_status::u_success) {
        return done;
    }
    if (!tree.write_back(here, state, context)) {
        return answer{u_status::u_parameter, "the device tree cannot be written"};
    }
    here.rtas.begin(page);
    return std::nullopt;
}

// What a guest of an operating system brings along: a device tree, with a page reserved in the Ultravisor's copy of it.
struct guests_tree {
    guest_device_tree copy;
    abi::phys_addr page_for_rtas;
};

// \param found nothing, when the guest has none
std::optional<answer> look_at_device_tree(firmware& here, abi::phys_addr at,
                                          std::optional<guests_tree>& found, const power::registers& state,
                                          cpu::trap_context& context) {
    if (here.entry == esm_entry::return_to_caller) {
        return std::nullopt;
    }
    guest_device_tree tree(here, at, state, context);
    switch (tree.what()) {
    case guest_device_tree::kind::none:
        return std::nullopt;
    case guest_device_tree::kind::broken:
        return answer{u_status::u_parameter, "the device tree is damaged", at.value()};
    case guest_device_tree::kind::good:
        break;
    }
    const auto page = tree.reserve_page();
    if (!page) {
        return answer{u_status::u_parameter, "no page for RTAS can be reserved in the device tree",
                      at.value()};
    }
    found.emplace(std::move(tree), *page);
    return std::nullopt;
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
    std::optional<guests_tree> tree;
    auto failure = begin_to_move(here, kbase, fdt, state, context);
    if (!failure) {
        failure = look_at_device_tree(here, fdt, tree, state, context);
    }
    image_verdict image;
    if (!failure) {
        image = check_image(here, kbase, fdt, tree ? tree->copy.tree().bytes() : std::span<const std::byte>(),
                            state, context);
        failure = image.refusal;
    }
    if (!failure) {
        failure = move_the_rest(here, state, context);
    }
    if (!failure && image.verified && here.vm.lost_pages()) {
        failure = answer{u_status::u_parameter, "the hypervisor took back a slot with what was verified",
                         kbase.value()};
    }
    if (failure) {
        return abort_esm(here, *failure, state, context);
    }
    here.vm.commit(context.now());
    here.guest.show_state(context);

    state.msr |= power::msr_s;
    here.rtas.begin(std::nullopt);
    if (tree) {
        failure = share_for_rtas(here, tree->copy, tree->page_for_rtas, state, context);
    }
    if (failure) {
        if (here.guest.secure()) {
            here.guest.end(failure->why, failure->address, context);
        }
        return *failure;
    }
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
