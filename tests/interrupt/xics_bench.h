// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "interrupt/xics.h"
#include "tests/interrupt/recorded_line.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::interrupt {

/// An interrupt controller with its lines, elaborated.
struct xics_bench {
    explicit xics_bench(unsigned servers)
        : controller("xics", recorder, {.servers = servers}),
          lines(servers) {
        for (recorded_line& line : lines) {
            controller.lines(line);
        }
        // Elaboration alone is no activity, of which SystemC would warn.
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
    }
    ~xics_bench() = default;
    xics_bench(const xics_bench&) = delete;
    xics_bench& operator=(const xics_bench&) = delete;

    static sc_core::sc_time now() { return sc_core::sc_time_stamp(); }
    /// Accepts what is presented; \returns its source number.
    std::uint32_t accept(unsigned server = 0) { return controller.xirr(server, now()) & 0xff'ffff; }
    bool eoi(std::uint32_t source, std::uint8_t cppr = 0xff, unsigned server = 0) {
        return controller.eoi(server, std::uint32_t{cppr} << 24 | source, now());
    }
    void cppr(std::uint8_t priority, unsigned server = 0) { controller.cppr(server, priority, now()); }
    bool raise(std::uint32_t source) { return controller.raise(source, sc_core::SC_ZERO_TIME); }
    bool route(std::uint32_t source, std::uint32_t server, std::uint8_t priority) {
        return controller.set_xive(source, {server, priority}, now());
    }
    bool level(std::uint32_t source, bool asserted) {
        return controller.set_level(source, asserted, sc_core::SC_ZERO_TIME);
    }

    trace::recorder recorder;
    xics controller;
    std::vector<recorded_line> lines;
};

}  // namespace pefsim::interrupt
