// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "abi/platform.h"
#include "ultravisor/service.h"

namespace pefsim::ultravisor {

using abi::u_status;

namespace {

answer uv_register_mem_slot(firmware& here, power::registers& state, cpu::trap_context& context) {
    const std::uint64_t lpid = state.gpr[4];
    const std::uint64_t start = state.gpr[5];
    const std::uint64_t size = state.gpr[6];
    const std::uint64_t flags = state.gpr[7];
    const std::uint64_t id = state.gpr[8];

    const abi::gfn first = abi::gfn_of(abi::phys_addr{start});
    const std::uint64_t pages = size >> abi::page_shift;
    const std::uint64_t ram_pages = here.bus.ram().pages();
    if (here.guest.is_no_svm(lpid)) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", start};
    }
    if (here.vm.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", start};
    }
    if (start % abi::page_size != 0 || first >= ram_pages || here.vm.slots().contains(first)) {
        return {u_status::u_p2, "start is not 64 KiB aligned, is outside RAM or in another slot", start};
    }
    if (size == 0 || size % abi::page_size != 0 || pages > ram_pages - first ||
        here.vm.slots().overlaps(first, pages)) {
        return {u_status::u_p3,
                "size is no multiple of 64 KiB, or reaches beyond RAM or into "
                "another slot",
                start};
    }
    if (flags != 0) {
        return {u_status::u_p4, "reserved flags", start};
    }
    if (id >= memory_slots::max_slots || here.vm.slots().find(id)) {
        return {u_status::u_p5, "the slot identifier is in use or too large", start};
    }
    here.vm.add_slot({.id = id, .first = first, .pages = pages}, context.now());
    return {};
}

answer uv_unregister_mem_slot(firmware& here, power::registers& state, cpu::trap_context& context) {
    if (here.guest.is_no_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid"};
    }
    const auto slot = here.vm.slots().find(state.gpr[5]);
    if (!slot) {
        return {u_status::u_p2, "no slot of this identifier"};
    }
    here.vm.remove_slot(*slot, context.now());
    if (!here.guest.secure()) {
        return {};
    }
    return {.status = u_status::u_success,
            .why = "a memory slot of a guest that runs: it ends where it uses a page of it",
            .address = abi::page_base(slot->first).value(),
            .kind = report::violation_kind::memory_taken};
}

answer uv_svm_terminate(firmware& here, power::registers& state, cpu::trap_context& context) {
    if (state.gpr[4] != abi::platform::lpid) {
        return {u_status::u_parameter, "no virtual machine of this lpid"};
    }
    if (here.guest.is_no_svm(state.gpr[4])) {
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    here.vm.release(here.guest.secure() ? vm_state::terminated : vm_state::normal, context.now());
    here.guest.show_state(context);
    return {};
}

constexpr std::array rows{
    service{abi::ucall::uv_register_mem_slot, uv_register_mem_slot},
    service{abi::ucall::uv_unregister_mem_slot, uv_unregister_mem_slot},
    service{abi::ucall::uv_svm_terminate, uv_svm_terminate},
};

}  // namespace

std::span<const service> memory_slot_services() { return rows; }

}  // namespace pefsim::ultravisor
