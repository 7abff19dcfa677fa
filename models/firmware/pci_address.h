// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/platform.h"
#include "abi/rtas.h"
#include "pci/host_bridge.h"

namespace pefsim::firmware {

/// The address of a configuration register as RTAS has it (PAPR 2.8, 7.3.4): from the most significant byte on the
/// upper four bits of an extended register number, bus, device and function, register.
struct pci_address {
    std::uint32_t bus;
    std::uint32_t devfn;
    std::uint32_t offset;

    static constexpr pci_address of(std::uint32_t word) {
        return {word >> 16 & 0xff, word >> 8 & 0xff, (word >> 20 & 0xf00) | (word & 0xff)};
    }
};

/// The function that a call names by address and unit ID of its host bridge; nullptr when there is none.
inline pci::pci_function* function_at(const pci::host_bridge& bridge, std::uint32_t address,
                                      std::uint64_t unit) {
    const pci_address at = pci_address::of(address);
    return unit == abi::platform::bridge_unit && at.bus == 0 ? bridge.function(at.devfn) : nullptr;
}

}  // namespace pefsim::firmware
