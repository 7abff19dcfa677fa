// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "cpu/traps.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::hypervisor {

/// The hypervisor's MMIO for a guest: a transaction to the host bridge. What is stored crosses to the host (exposure
/// ledger). Signals: `mmio_address`, `mmio_width`, `mmio_value`, `mmio_write`. Metric: `mmio_exits`.
class mmio_emulation {
public:
    mmio_emulation(tlm::tlm_initiator_socket<>& bridge, trace::recorder& recorder, std::string_view scope);

    /// \param size bytes, at most 8  \param value the bytes as a little-endian integer  \returns false when nothing
    /// answers
    bool load(abi::phys_addr at, std::size_t size, std::uint64_t& value, cpu::trap_context& context);
    bool store(abi::phys_addr at, std::size_t size, std::uint64_t value, cpu::trap_context& context);

private:
    bool transport(tlm::tlm_command command, abi::phys_addr at, std::size_t size, std::uint64_t& data,
                   cpu::trap_context& context);

    tlm::tlm_initiator_socket<>& bridge_;
    trace::recorder& recorder_;
    tlm::tlm_generic_payload payload_;
    trace::signal<abi::phys_addr> address_;
    trace::signal<std::uint8_t> width_;
    trace::signal<std::uint64_t> value_;
    trace::signal<bool> write_;
    report::counter exits_;
};

}  // namespace pefsim::hypervisor
