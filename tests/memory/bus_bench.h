// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <systemc>
#include <vector>

#include "memory/memory_bus.h"
#include "tests/memory/bus_initiator.h"
#include "tests/support/simulation.h"
#include "trace/recorder.h"

namespace pefsim::testing {

/// The hypervisor's side of a refused access, as a test wants it.
class scripted_host_fault : public sc_core::sc_module, public memory::host_fault_if {
public:
    std::function<memory::host_fault_outcome(abi::phys_addr)> answer;
    std::vector<abi::phys_addr> asked;

    explicit scripted_host_fault(const sc_core::sc_module_name& name) : sc_module(name) {}

    memory::host_fault_outcome host_fault(abi::phys_addr at, const memory::bus_attributes& /*who*/,
                                          sc_core::sc_time& /*delay*/) override {
        asked.push_back(at);
        return answer ? answer(at) : memory::host_fault_outcome::bus_error;
    }
};

/// One initiator of each world on a memory bus of 16 pages.
class bus_bench : public simulation_test {
protected:
    static constexpr std::uint64_t ram_size = 16 * abi::page_size;

    trace::recorder recorder;
    memory::memory_bus bus{"bus", recorder, {.ram_size = ram_size}};
    bus_initiator guest{"guest", recorder, bus, memory::world::guest};
    bus_initiator secure_guest{"secure_guest", recorder, bus, memory::world::guest, true};
    bus_initiator uv{"uv", recorder, bus, memory::world::ultravisor, true};
    bus_initiator hv{"hv", recorder, bus, memory::world::hypervisor};
    bus_initiator device{"device", recorder, bus, memory::world::device};

    void elaborate() {
        // There is no process here that could be active.
        sc_core::sc_report_handler::set_actions(sc_core::SC_ID_NO_SC_START_ACTIVITY_, sc_core::SC_DO_NOTHING);
        run(sc_core::SC_ZERO_TIME);
    }
    void set(abi::gfn page, memory::page_state state) { bus.states().set(page, state); }
    void fill(memory::frame_kind kind, abi::gfn page, std::byte value) {
        std::fill_n(bus.ram().write(kind, page), abi::page_size, value);
    }
    static abi::phys_addr page(abi::gfn number) { return abi::page_base(number); }
};

}  // namespace pefsim::testing
