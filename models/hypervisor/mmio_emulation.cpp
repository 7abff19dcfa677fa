// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mmio_emulation.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <span>

#include "abi/platform.h"
#include "exposure/ledger.h"

namespace pefsim::hypervisor {

mmio_emulation::mmio_emulation(tlm::tlm_initiator_socket<>& bridge, interrupt_mmio_socket& interrupts,
                               trace::recorder& recorder, std::string_view scope)
    : bridge_(bridge),
      interrupts_(interrupts),
      recorder_(recorder),
      address_(recorder, scope, "mmio_address", "guest physical address of the last MMIO access"),
      width_(recorder, scope, "mmio_width", "its size in bytes"),
      value_(recorder, scope, "mmio_value", "the value loaded or stored"),
      write_(recorder, scope, "mmio_write", "whether it was a store"),
      exits_(recorder.metrics(), scope, "mmio_exits", "accesses", "MMIO accesses emulated") {
    payload_.set_extension(&processor_);
}

// The payload would free its extension.
mmio_emulation::~mmio_emulation() { payload_.clear_extension(&processor_); }

bool mmio_emulation::load(abi::phys_addr at, std::size_t size, std::uint64_t& value,
                          cpu::trap_context& context) {
    std::uint64_t data = 0;
    const bool answered = transport(tlm::TLM_READ_COMMAND, at, size, data, context);
    value = boost::endian::little_to_native(data);
    return answered;
}

bool mmio_emulation::store(abi::phys_addr at, std::size_t size, std::uint64_t value,
                           cpu::trap_context& context) {
    std::uint64_t data = boost::endian::native_to_little(value);
    recorder_.ledger().crossed(exposure::channel_kind::mmio, at.value(),
                               std::as_bytes(std::span(&data, 1)).first(std::min(size, sizeof data)),
                               context.writer, context.now());
    if (to_lose_ != 0) [[unlikely]] {
        --to_lose_;
        exits_.add();
        return true;
    }
    return transport(tlm::TLM_WRITE_COMMAND, at, size, data, context);
}

bool mmio_emulation::transport(tlm::tlm_command command, abi::phys_addr at, std::size_t size,
                               std::uint64_t& data, cpu::trap_context& context) {
    exits_.add();
    payload_.set_command(command);
    payload_.set_address(at.value());
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&data));
    payload_.set_data_length(static_cast<unsigned>(size));
    payload_.set_streaming_width(static_cast<unsigned>(size));
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    const sc_core::sc_time begin = context.now();
    if (at < abi::platform::esb_base || interrupts_.size() == 0) {
        bridge_->b_transport(payload_, context.delay);
    } else {
        processor_.cpu = context.cpu;
        interrupts_->b_transport(payload_, context.delay);
    }
    address_.set(at, begin);
    width_.set(static_cast<std::uint8_t>(size), begin);
    value_.set(boost::endian::little_to_native(data), begin);
    write_.set(command == tlm::TLM_WRITE_COMMAND, begin);
    return payload_.is_response_ok();
}

}  // namespace pefsim::hypervisor
