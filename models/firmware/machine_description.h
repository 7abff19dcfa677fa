// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "pci/host_bridge.h"

namespace pefsim::firmware {

/// Bytes of guest RAM.
struct extent {
    std::uint64_t at = 0;
    std::uint64_t size = 0;
};

/// What firmware tells an operating system about its machine.
struct machine_description {
    std::uint64_t ram_size;  ///< bytes
    unsigned cpus;           ///< interrupt servers 0 .. cpus - 1, one thread a core
    pci::host_bridge& bridge;
    bool xive = false;  ///< there is a XIVE, which the operating system may choose
    std::string command_line{};
    std::optional<extent> kernel{};
    std::optional<extent> initrd{};
    std::optional<extent> esm_blob{};      ///< for the Ultravisor (models/esm/blob.h)
    bool dynamic_windows = true;           ///< a function may have a DMA window besides the default one
    std::array<std::byte, 32> rng_seed{};  ///< for the operating system's own generator
};

}  // namespace pefsim::firmware
