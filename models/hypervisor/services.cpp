// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/services.h"

#include "cpu/call_rows.h"

namespace pefsim::hypervisor {

service_table all_services() {
    return cpu::services_by_row<abi::hcall_declarations.size(), service>(
        {tce_services(), cache_inhibited_services(), terminal_services(), interrupt_services(),
         xive_services(), processor_services(), secure_guest_services(), memory_services(), mode_services(),
         firmware_services(), platform_services()},
        abi::hcall_row, abi::hcall_name);
}

}  // namespace pefsim::hypervisor
