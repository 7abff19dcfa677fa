// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::exposure {

/// Who wrote a byte and through which mapping.
struct attribution {
    std::uint16_t initiator = 0;  ///< from ledger::name_initiator()
    std::uint32_t mapping = 0;    ///< DMA mapping number, from ledger::new_mapping(); 0 when none
    /// PC of a POWER guest, or ledger::name_origin() of a native one's call
    std::uint64_t origin = 0;
    friend bool operator==(const attribution&, const attribution&) = default;
};

}  // namespace pefsim::exposure
