// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>

#include "ultravisor/service.h"

/// Ultracalls by which the hypervisor reaches what of its machine has become the Ultravisor's.
namespace pefsim::ultravisor {

using abi::u_status;

namespace {

/// A process table of a guest stands in the guest's memory, on a multiple of its size.
bool is_process_table(const firmware& here, std::uint64_t dw1) {
    const std::uint64_t base = dw1 & partition_entry::process_table_base;
    const std::uint64_t size = dw1 & partition_entry::process_table_size;
    if ((dw1 & ~(partition_entry::process_table_base | partition_entry::process_table_size)) != 0 ||
        size > partition_entry::greatest_size) {
        return false;
    }
    const std::uint64_t bytes = std::uint64_t{1} << (12 + size);
    const std::uint64_t ram = here.bus.ram().size();
    return dw1 == 0 || (base % bytes == 0 && bytes <= ram && base <= ram - bytes);
}

answer uv_write_pate(firmware& here, power::registers& state, cpu::trap_context& /*context*/) {
    const std::uint64_t lpid = state.gpr[4];
    partition_entry entry{.dw0 = state.gpr[5], .dw1 = state.gpr[6]};
    if (lpid == 0 || lpid >= partition_table::partitions) {
        return {u_status::u_parameter, "no partition of this lpid"};
    }
    if ((entry.dw0 & partition_entry::host_radix) == 0) {
        return {u_status::u_p2, "dw0 names no radix tree (HR = 0)"};
    }
    if (!is_process_table(here, entry.dw1)) {
        return {u_status::u_p3, "dw1 is no process table in the guest's memory",
                entry.dw1 & partition_entry::process_table_base};
    }
    // Where the guest is secure, its memory is not the hypervisor's to arrange.
    const std::optional<partition_entry> before = here.partitions.find(lpid);
    if (!here.guest.is_no_svm(lpid) && before && before->dw0 != entry.dw0) {
        return {u_status::u_permission, "dw0 of a secure virtual machine's entry would change"};
    }
    here.partitions.write(lpid, entry);
    return {};
}

answer uv_restricted_spr_write(firmware& here, power::registers& state, cpu::trap_context& context) {
    return here.restricted.write(context.cpu, state.gpr[4], state.gpr[5])
               ? answer{}
               : answer{u_status::u_parameter, "no register that is restricted"};
}

answer uv_restricted_spr_read(firmware& here, power::registers& state, cpu::trap_context& context) {
    const std::optional<std::uint64_t> value = here.restricted.read(context.cpu, state.gpr[4]);
    if (!value) {
        return {u_status::u_parameter, "no restricted register that can be read"};
    }
    state.gpr[4] = *value;
    return {};
}

/// The ranges of secure memory that a hypervisor may read or write are those of OPAL's power management
/// (/ibm,opal/power-mgt/mem_range). This machine has no such node, so that no handle names one.
answer no_memory_resource(firmware& /*here*/, power::registers& /*state*/, cpu::trap_context& /*context*/) {
    return {u_status::u_parameter, "no memory resource of this handle"};
}

/// Calls and interrupts that were reflected come back as the functions that they are (cpu/traps.h), within the trap
/// that they began in. Whoever calls UV_RETURN has no context to return to.
answer uv_return(firmware& /*here*/, power::registers& /*state*/, cpu::trap_context& /*context*/) {
    return {u_status::u_invalid, "nothing that was reflected waits for it"};
}

constexpr std::array rows{
    service{abi::ucall::uv_write_pate, uv_write_pate},
    service{abi::ucall::uv_restricted_spr_write, uv_restricted_spr_write},
    service{abi::ucall::uv_restricted_spr_read, uv_restricted_spr_read},
    service{abi::ucall::uv_return, uv_return},
    service{abi::ucall::uv_read_mem, no_memory_resource},
    service{abi::ucall::uv_write_mem, no_memory_resource},
};

}  // namespace

std::span<const service> machine_services() { return rows; }

}  // namespace pefsim::ultravisor
