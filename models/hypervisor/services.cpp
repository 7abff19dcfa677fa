// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/services.h"

#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::hypervisor {

service_table all_services() {
    service_table table{};
    for (const std::span<const service> chapter :
         {tce_services(), cache_inhibited_services(), terminal_services(), interrupt_services(),
          processor_services(), secure_guest_services(), platform_services()}) {
        for (const service& each : chapter) {
            const service*& place = table.at(abi::hcall_row(static_cast<std::uint64_t>(each.number)));
            if (place != nullptr) {
                throw std::logic_error(fmt::format("hypervisor: two functions serve {}",
                                                   abi::hcall_name(static_cast<std::uint64_t>(each.number))));
            }
            place = &each;
        }
    }
    return table;
}

}  // namespace pefsim::hypervisor
