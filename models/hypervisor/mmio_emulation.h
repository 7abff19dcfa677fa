// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "cpu/traps.h"
#include "interrupt/processor_extension.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::hypervisor {

/// The socket to an interrupt controller with MMIO, which a machine may have.
using interrupt_mmio_socket =
    tlm::tlm_initiator_socket<32, tlm::tlm_base_protocol_types, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

/// The hypervisor's MMIO for a guest: a transaction to the host bridge, or, from abi::platform::esb_base on, to the
/// interrupt controller if there is one, with the number of the CPU (interrupt::processor_extension). What is stored
/// crosses to the host (exposure ledger). Signals: `mmio_address`, `mmio_width`, `mmio_value`, `mmio_write`. Metric:
/// `mmio_exits`.
class mmio_emulation {
public:
    mmio_emulation(tlm::tlm_initiator_socket<>& bridge, interrupt_mmio_socket& interrupts,
                   trace::recorder& recorder, std::string_view scope);
    ~mmio_emulation();
    mmio_emulation(const mmio_emulation&) = delete;
    mmio_emulation& operator=(const mmio_emulation&) = delete;

    /// \param size bytes, at most 8  \param value the bytes as a little-endian integer  \returns false when nothing
    /// answers
    bool load(abi::phys_addr at, std::size_t size, std::uint64_t& value, cpu::trap_context& context);
    bool store(abi::phys_addr at, std::size_t size, std::uint64_t value, cpu::trap_context& context);
    /// The next `count` stores exit and reach nobody: what a host can do on purpose, or by a fault of its own.
    void lose_stores(unsigned count) { to_lose_ += count; }

private:
    bool transport(tlm::tlm_command command, abi::phys_addr at, std::size_t size, std::uint64_t& data,
                   cpu::trap_context& context);

    tlm::tlm_initiator_socket<>& bridge_;
    interrupt_mmio_socket& interrupts_;
    trace::recorder& recorder_;
    interrupt::processor_extension processor_;
    tlm::tlm_generic_payload payload_;
    trace::signal<abi::phys_addr> address_;
    trace::signal<std::uint8_t> width_;
    trace::signal<std::uint64_t> value_;
    trace::signal<bool> write_;
    report::counter exits_;
    unsigned to_lose_ = 0;  // stores
};

}  // namespace pefsim::hypervisor
