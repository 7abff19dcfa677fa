// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/address.h"

namespace pefsim::hypervisor {

/// A processor area that the guest has registered (H_REGISTER_VPA).
struct processor_area {
    abi::phys_addr at;
    std::uint64_t size = 0;  ///< bytes; 0: not registered
};
enum class area_kind : std::uint8_t { vpa, dispatch_trace_log, slb_shadow };

/// What the hypervisor keeps of one of the guest's processors.
struct virtual_processor {
    std::array<processor_area, 3> areas;
    bool prodded = false;  ///< H_PROD: its next H_CEDE or H_JOIN returns at once
    bool joined = false;   ///< in H_JOIN, until H_PROD

    processor_area& area(area_kind kind) { return areas[static_cast<std::size_t>(kind)]; }
    [[nodiscard]] const processor_area& area(area_kind kind) const {
        return areas[static_cast<std::size_t>(kind)];
    }
};

/// By interrupt server number.
using virtual_processors = std::vector<virtual_processor>;

}  // namespace pefsim::hypervisor
