// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "firmware/rtas_service.h"
#include "power/registers.h"

/// RTAS for processors. PAPR 2.8, 7.3.8 and 13.5. A processor is known by its interrupt server number.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

/// nullptr when there is none of this number.
cpu::processor_if* processor(const parts& here, std::uint64_t number) {
    return number < static_cast<std::uint64_t>(here.host.cpus.size())
               ? here.host.cpus[static_cast<int>(number)]
               : nullptr;
}

rtas_status query_cpu_stopped_state(parts& here, const rtas_call& of) {
    constexpr std::uint32_t stopped = 0;
    constexpr std::uint32_t not_stopped = 2;
    const cpu::processor_if* cpu = processor(here, of.argument(0));
    if (cpu == nullptr) {
        return rtas_status::parameter_error;
    }
    of.result(0, cpu->stopped() ? stopped : not_stopped);
    return rtas_status::success;
}

/// In 64-bit real mode, big-endian (7.3.8.2).
rtas_status start_cpu(parts& here, const rtas_call& of) {
    cpu::processor_if* cpu = processor(here, of.argument(0));
    if (cpu == nullptr) {
        return rtas_status::parameter_error;
    }
    const cpu::processor_start with{
        .nip = of.argument(1), .r3 = of.argument(2), .msr = power::msr_sf | power::msr_me};
    return cpu->start(with, of.trap.context.now()) ? rtas_status::success : rtas_status::hardware_error;
}

/// Does not return, unless the processor cannot stop.
rtas_status stop_self(parts& here, const rtas_call& of) {
    cpu::processor_if* cpu = processor(here, of.trap.context.cpu);
    return cpu != nullptr && cpu->stop() ? rtas_status::success : rtas_status::hardware_error;
}

constexpr std::array rows{
    rtas_service{abi::rtas::query_cpu_stopped_state, query_cpu_stopped_state},
    rtas_service{abi::rtas::start_cpu, start_cpu},
    rtas_service{abi::rtas::stop_self, stop_self},
};

}  // namespace

std::span<const rtas_service> processor_services() { return rows; }

}  // namespace pefsim::firmware
