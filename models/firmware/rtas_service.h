// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "abi/address.h"
#include "abi/rtas.h"
#include "firmware/message_interrupts.h"
#include "firmware/nvram.h"
#include "firmware/real_time_clock.h"
#include "hypervisor/service.h"
#include "pci/host_bridge.h"

namespace pefsim::firmware {

/// What an RTAS call may touch.
struct parts {
    hypervisor::host& host;
    std::uint64_t ram_size;  ///< bytes
    pci::host_bridge& bridge;
    message_interrupts& messages;
    nvram& store;
    real_time_clock& clock;
};

/// An RTAS call that is being served. Arguments count from 0, results from 0 behind the status.
struct rtas_call {
    const hypervisor::call& trap;
    std::span<const std::uint32_t> arguments;
    std::span<std::uint32_t> results;

    [[nodiscard]] std::uint32_t argument(unsigned n) const { return arguments[n]; }
    /// Two arguments, the upper half first.
    [[nodiscard]] std::uint64_t wide_argument(unsigned n) const {
        return std::uint64_t{arguments[n]} << 32 | arguments[n + 1];
    }
    void result(unsigned n, std::uint32_t value) const { results[n] = value; }

    // No bytes are anywhere.
    [[nodiscard]] bool read(const parts& here, std::uint32_t from, std::span<std::byte> to) const {
        return to.empty() || here.host.memory.read(abi::phys_addr{from}, to, trap.context.delay);
    }
    [[nodiscard]] bool write(const parts& here, std::uint32_t to, std::span<const std::byte> from) const {
        return from.empty() || here.host.memory.write(abi::phys_addr{to}, from, trap.context.delay);
    }
};

/// A row of the table of RTAS: a token of abi/rtas.h, and the function that serves it. The rows of a section of PAPR's
/// chapter 7 stand at the end of the file with their functions.
struct rtas_service {
    abi::rtas number;
    abi::rtas_status (*serve)(parts& here, const rtas_call& of);
};

std::span<const rtas_service> pci_configuration_services();
std::span<const rtas_service> message_interrupt_services();
std::span<const rtas_service> dma_window_services();
std::span<const rtas_service> interrupt_source_services();
std::span<const rtas_service> processor_services();
std::span<const rtas_service> clock_services();
std::span<const rtas_service> nvram_services();
std::span<const rtas_service> event_services();
std::span<const rtas_service> system_parameter_services();
std::span<const rtas_service> power_services();
std::span<const rtas_service> terminal_services();

}  // namespace pefsim::firmware
