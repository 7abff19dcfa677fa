// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <systemc>

#include "timing/timing.h"

namespace pefsim::dma_ops {

/// How a kernel gets to a DMA operation, which is what the thread of 2018 argued about: each way has its own price in
/// the table of costs.
enum class call_form : std::uint8_t {
    no_call,    ///< not by the DMA API: virtio core adds page and offset where it stands
    direct,     ///< the DMA API, and from there a call of a function that the linker knows
    predicted,  ///< the DMA API, and from there through a pointer, whose target the processor predicts
    retpoline,  ///< through a pointer that is not predicted: x86's retpolines, POWER9's indirect branch serialisation
    static_call,  ///< through a branch that is patched when the target is set
};
inline constexpr std::size_t call_forms = 5;

constexpr std::string_view to_name(call_form form) {
    switch (form) {
    case call_form::no_call:
        return "no_call";
    case call_form::direct:
        return "direct";
    case call_form::predicted:
        return "predicted";
    case call_form::retpoline:
        return "retpoline";
    case call_form::static_call:
        return "static_call";
    }
    return "?";
}

/// What one call takes of a CPU: the work that each call of the DMA API is (timing::guest_call), and what getting to
/// the operation takes besides, compared with a direct call.
struct call_cost {
    sc_core::sc_time work;
    sc_core::sc_time getting_there;
};

/// By call_form.
using call_cost_table = std::array<call_cost, call_forms>;

inline call_cost_table call_costs(const timing::timing& costs) {
    const auto cycles = [&](double number) {
        return sc_core::sc_time(number * costs.cpu_cycle_ns, sc_core::SC_NS);
    };
    const sc_core::sc_time work = cycles(costs.guest_call_cycles);
    return {call_cost{sc_core::SC_ZERO_TIME, sc_core::SC_ZERO_TIME},
            {work, sc_core::SC_ZERO_TIME},
            {work, cycles(costs.indirect_call_cycles)},
            {work, cycles(costs.indirect_call_barrier_cycles)},
            {work, cycles(costs.static_call_cycles)}};
}

}  // namespace pefsim::dma_ops
