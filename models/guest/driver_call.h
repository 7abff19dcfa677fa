// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <systemc>

#include "cpu/native/native_cpu.h"
#include "exposure/ledger.h"
#include "timing/timing.h"
#include "trace/recorder.h"

namespace pefsim::guest {

using cpu::native::native_cpu;

/// An entry point of a driver, declared once: its name, as the exposure ledger and the trace signal `call` show it, and
/// what its fixed work costs (timing::guest_call).
class entry_point {
public:
    entry_point(trace::recorder& recorder, const timing::timing& costs, std::string_view name)
        : origin_(recorder.ledger().name_origin(name)),
          cost_(costs.guest_call_cycles * costs.cpu_cycle_ns, sc_core::SC_NS) {}

    [[nodiscard]] std::uint64_t origin() const { return origin_; }
    [[nodiscard]] const sc_core::sc_time& cost() const { return cost_; }

private:
    std::uint64_t origin_;
    sc_core::sc_time cost_;
};

/// One call of an entry point: names it for as long as it lives, and charges for it.
class driver_call {
public:
    driver_call(native_cpu& cpu, const entry_point& entry) : scope_(cpu, entry.origin()) {
        cpu.spend(entry.cost());
    }

private:
    native_cpu::call_scope scope_;
};

}  // namespace pefsim::guest
