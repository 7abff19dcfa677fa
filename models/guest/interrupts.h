// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "guest/callback.h"
#include "report/metrics.h"
#include "trace/recorder.h"

namespace pefsim::guest {

using cpu::native::native_cpu;

/// The kernel's side of XICS: each CPU's external interrupt vector asks for the interrupt with H_XIRR, calls the
/// handler of its source and ends it with H_EOI. PAPR 14.5.5.
///
/// Message-signalled interrupts of the host bridge are allotted here: firmware routes source `first_msi_source + n` to
/// server n mod (number of servers), so an interrupt reaches the CPU that is asked for.
class interrupts {
public:
    using handler = callback<void(native_cpu&)>;

    /// \param servers number of CPUs
    interrupts(trace::recorder& recorder, std::string_view scope, unsigned servers);

    /// Installs the vector on `cpu` and lets it take interrupts of every priority (H_CPPR).
    void set_up(native_cpu& cpu);

    /// A source that reaches the server `server`; nothing when all of these are taken.
    std::optional<std::uint32_t> allocate_msi(unsigned server);
    /// What to call for `source`, one of allocate_msi() or the inter-processor interrupt.
    void request(std::uint32_t source, handler on_interrupt);

    /// H_IPI: interrupts another CPU (or the calling one).
    void send_ipi(native_cpu& from, unsigned server);

    [[nodiscard]] std::uint64_t taken() const { return taken_.value(); }

private:
    void external_interrupt(native_cpu& cpu);
    handler* handler_of(std::uint32_t source);

    unsigned servers_;
    std::vector<bool> allocated_;  // MSI sources
    std::vector<handler> msi_;     // likewise
    handler ipi_;
    report::counter taken_;
    report::counter spurious_;
    report::counter unhandled_;
};

}  // namespace pefsim::guest
