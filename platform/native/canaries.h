// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "exposure/ledger.h"
#include "guest/kernel.h"

namespace pefsim::platform {

/// The leak oracle's secrets: 32 random bytes each, known to the exposure ledger, which looks for them in everything
/// that reaches the host, and planted in the guest before its workload begins.
///
/// They stand in buffers of many sizes among those of the drivers, so that they share pages with what is sent to
/// devices; in memory that was given back to the kernel, so that what is allocated later, rings and bounce buffers of a
/// device that is probed late included, begins with them; and in the registers R14 to R29 of CPU 0.
class canaries {
public:
    static constexpr std::size_t secret_size = 32;

    /// Makes the ledger look for `count` secrets that follow from `seed`.
    canaries(exposure::ledger& ledger, unsigned count, std::uint64_t seed);

    /// On a CPU of the guest, once its kernel runs.
    void plant(guest::kernel& kernel, cpu::native::native_cpu& cpu);

private:
    using secret = std::array<std::byte, secret_size>;

    static void plant_in_registers(cpu::native::native_cpu& cpu, const std::vector<secret>& secrets);

    std::vector<secret> secrets_;
    std::vector<guest::buffer> buffers_;
};

}  // namespace pefsim::platform
