// SPDX-License-Identifier: Apache-2.0
#include "pci/pci_function.h"
#include "exposure/ledger.h"
#include "report/violations.h"

#include <array>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

#include "timing/simulation_time.h"

namespace pefsim::pci {

namespace layout = abi::pci;
using sc_core::sc_time;

namespace {

/// Bits of the command register that a function of this kind implements.
constexpr std::uint16_t command_writable = layout::command_memory_space | layout::command_bus_master |
                                           layout::command_parity_error_response |
                                           layout::command_serr_enable | layout::command_interrupt_disable;

constexpr std::uint64_t all_ones(unsigned size) {
    return size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1;
}

std::uint64_t checked_bar_size(const char* module, std::uint64_t size) {
    if (size < 16 || !std::has_single_bit(size)) {
        throw std::invalid_argument(
            fmt::format("{}: bar_size is {:#x}; it must be a power of two of at least 16", module, size));
    }
    return size;
}

/// Ticks of simulated time that a byte takes at this bandwidth.
double ticks_per_byte(double gb_per_s) {
    const double ticks_per_ns = sc_time(1, sc_core::SC_NS) / sc_core::sc_get_time_resolution();
    return ticks_per_ns / gb_per_s;
}

}  // namespace

pci_function::pci_function(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                           const config& parameters)
    : sc_module(module_name),
      dma("dma"),
      interrupt_pin("interrupt_pin"),
      recorder_(recorder),
      pin_(parameters.interrupt_pin),
      latency_(parameters.costs.pci_latency_ns, sc_core::SC_NS),
      ticks_per_byte_(ticks_per_byte(parameters.costs.pci_gb_per_s)),
      dma_result_(recorder, name(), "dma_result", "what came of its last access to memory"),
      request_(recorder, name(), "request", "the device's request that this access belongs to"),
      msix_vector_(recorder, name(), "msix_vector", "vector of the last MSI-X interrupt that was raised"),
      msix_message_(recorder, name(), "msix_message", "an MSI-X message is sent"),
      pin_signal_(recorder, name(), "interrupt_pin_level", "the interrupt pin"),
      reads_(recorder.metrics(), name(), "dma_reads", "accesses", "reads of memory"),
      writes_(recorder.metrics(), name(), "dma_writes", "accesses",
              "writes to memory, without MSI-X messages"),
      bytes_read_(recorder.metrics(), name(), "dma_bytes_read", "bytes", "read from memory"),
      bytes_written_(recorder.metrics(), name(), "dma_bytes_written", "bytes", "written to memory"),
      errors_(recorder.metrics(), name(), "dma_errors", "accesses", "accesses to memory that failed"),
      messages_(recorder.metrics(), name(), "msix_messages", "interrupts", "MSI-X messages sent") {
    for (std::size_t bytes = 0; bytes < small_transfers_.size(); ++bytes) {
        small_transfers_[bytes] = transfer_time(bytes);
    }
    device_bar_.size = checked_bar_size(name(), parameters.bar_size);
    payload_.attributes.who = memory::world::device;
    payload_.attributes.writer.initiator = recorder.ledger().name_initiator(basename());
    build_header(parameters);
    if (parameters.msix_vectors > 0) {
        msix_ = std::make_unique<msix_vectors>(parameters.msix_vectors);
        msix_bar_.size = msix_->bar_size();
        add_msix();
    }
}

void pci_function::build_header(const config& parameters) {
    space_.set(layout::vendor_id, 2, parameters.vendor_id);
    space_.set(layout::device_id, 2, parameters.device_id);
    space_.set(layout::revision_id, 1, parameters.revision);
    space_.set(layout::class_code, 3, parameters.class_code);
    space_.set(layout::subsystem_vendor_id, 2, parameters.subsystem_vendor_id);
    space_.set(layout::subsystem_id, 2, parameters.subsystem_id);
    space_.set(layout::interrupt_pin, 1, parameters.interrupt_pin);
    space_.set_writable(layout::command, 2, command_writable);
    space_.set_writable(layout::cache_line_size, 1, 0xff);
    space_.set_writable(layout::interrupt_line, 1, 0xff);
    space_.add_memory_bar(0, parameters.bar_size);
}

// --- Configuration space

/// Takes over what the registers say now.
void pci_function::decode() {
    const std::uint32_t command = space_.load(layout::command, 2);
    powered_ = (space_.load(power_capability_ + layout::power_control_status, 2) &
                layout::power_state_mask) == layout::power_state_d0;
    memory_enabled_ = powered_ && (command & layout::command_memory_space) != 0;
    bus_master_ = powered_ && (command & layout::command_bus_master) != 0;
    device_bar_.base = space_.bar_address(0);
    msix_bar_.base = space_.bar_address(msix_bar);
    if (msix_) {
        const std::uint32_t control = space_.load(msix_capability_ + layout::msix_message_control, 2);
        msix_->set_control((control & layout::msix_enable) != 0, (control & layout::msix_function_mask) != 0);
    }
}

std::uint32_t pci_function::config_read(unsigned offset, unsigned size) {
    if (!valid_config_access("read", offset, size)) {
        return static_cast<std::uint32_t>(all_ones(4));
    }
    const std::uint32_t stored = space_.load(offset, size);
    return is_devices(space_.capability_at(offset)) ? capability_read(offset, size, stored) : stored;
}

void pci_function::config_write(unsigned offset, unsigned size, std::uint32_t value) {
    if (!valid_config_access("write", offset, size)) {
        return;
    }
    if (is_devices(space_.capability_at(offset))) {
        capability_write(offset, size, value);
        return;
    }
    if (asks_for_reset(offset, size, value)) {
        function_level_reset();
        return;
    }
    write_registers(offset, size, value);
    decode();
    drive_pin(sc_core::SC_ZERO_TIME);
    sc_time delay;
    send_unmasked(delay);
}

std::uint32_t pci_function::capability_read(unsigned /*offset*/, unsigned /*size*/, std::uint32_t stored) {
    return stored;
}

void pci_function::capability_write(unsigned /*offset*/, unsigned /*size*/, std::uint32_t /*value*/) {}

unsigned pci_function::add_capability(std::uint8_t id, std::span<const std::byte> body) {
    return space_.add_capability(id, body);
}

bool pci_function::valid_config_access(const char* verb, unsigned offset, unsigned size) {
    const bool valid = (size == 1 || size == 2 || size == 4) && offset % size == 0 &&
                       offset + size <= layout::config_space_size;
    if (!valid) {
        violated(report::violation_kind::device_protocol, offset, size,
                 fmt::format("{} of configuration space: 1, 2 or 4 aligned bytes are allowed", verb));
    }
    return valid;
}

// --- BARs

bool pci_function::memory_read(std::uint64_t at, unsigned size, std::uint64_t& value, sc_time& delay) {
    if (!memory_enabled_) {
        return false;
    }
    value = all_ones(size);
    if (device_bar_.decodes(at)) {
        if (valid_bar_access("read", device_bar_, at, size, true)) {
            value = bar_read(at - device_bar_.base, size, delay) & all_ones(size);
        }
        return true;
    }
    if (msix_bar_.decodes(at)) {
        const std::uint64_t offset = at - msix_bar_.base;
        if (valid_bar_access("read", msix_bar_, at, size, msix_vectors::valid_access(offset, size))) {
            value = msix_->read(offset, size);
        }
        return true;
    }
    return false;
}

bool pci_function::memory_write(std::uint64_t at, unsigned size, std::uint64_t value, sc_time& delay) {
    if (!memory_enabled_) {
        return false;
    }
    if (device_bar_.decodes(at)) {
        if (valid_bar_access("write", device_bar_, at, size, true)) {
            bar_write(at - device_bar_.base, size, value & all_ones(size), delay);
        }
        return true;
    }
    if (msix_bar_.decodes(at)) {
        const std::uint64_t offset = at - msix_bar_.base;
        if (valid_bar_access("write", msix_bar_, at, size, msix_vectors::valid_access(offset, size))) {
            msix_->write(offset, size, value);
            send_unmasked(delay);
        }
        return true;
    }
    return false;
}

bool pci_function::valid_bar_access(const char* verb, const bar& in, std::uint64_t at, unsigned size,
                                    bool valid) {
    const bool whole = std::has_single_bit(size) && size <= 8 && at - in.base <= in.size - size;
    if (!valid || !whole) {
        violated(
            report::violation_kind::device_protocol, at, size,
            fmt::format("{} of a BAR of {:#x} bytes at offset {:#x}: size, alignment or end is not allowed",
                        verb, in.size, at - in.base));
    }
    return valid && whole;
}

// --- Bus mastering

dma_status pci_function::dma_read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
                                  sc_time& delay) {
    reads_.add();
    const dma_status status = access(dma_direction::from_memory, from, to.data(), to.size(), request, delay);
    bytes_read_.add(status == dma_status::ok ? to.size() : 0);
    return status;
}

dma_status pci_function::dma_write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
                                   sc_time& delay) {
    writes_.add();
    // A payload's data pointer is not const; a target of a write only reads through it.
    auto* data = const_cast<std::byte*>(from.data());
    const dma_status status = access(dma_direction::to_memory, to, data, from.size(), request, delay);
    bytes_written_.add(status == dma_status::ok ? from.size() : 0);
    return status;
}

void pci_function::judge_address(abi::dma_addr at, std::uint64_t size, std::uint64_t request,
                                 std::uint16_t queue, bool writable) {
    constexpr std::uint64_t looked_at = std::uint64_t{1} << 20;
    if (size != 0 && bus_master_) {
        payload_.attributes.request = request;
        payload_.attributes.queue = queue;
        payload_.attributes.writable = writable;
        payload_.prepare(tlm::TLM_IGNORE_COMMAND, at.value(), nullptr, std::min(size, looked_at));
        dma->transport_dbg(payload_.transaction);
    }
}

dma_status pci_function::access(dma_direction direction, abi::dma_addr at, std::byte* data, std::size_t size,
                                std::uint64_t request, sc_time& delay) {
    if (size == 0) {
        return dma_status::ok;
    }
    request_.set(request, timing::simulation_time() + delay);
    payload_.attributes.request = request;
    const auto command = direction == dma_direction::from_memory ? tlm::TLM_READ_COMMAND
                                                                 : tlm::TLM_WRITE_COMMAND;
    const tlm::tlm_response_status response = transfer(command, at, data, size, delay);
    const dma_status status = response == tlm::TLM_OK_RESPONSE              ? dma_status::ok
                              : response == tlm::TLM_COMMAND_ERROR_RESPONSE ? dma_status::iommu_fault
                                                                            : dma_status::bus_error;
    dma_result_.set(status, timing::simulation_time() + delay);
    return status;
}

sc_time pci_function::transfer_time(std::size_t size) const {
    const double ticks = static_cast<double>(size) * ticks_per_byte_;
    return latency_ + sc_time::from_value(static_cast<sc_time::value_type>(ticks));
}

tlm::tlm_response_status pci_function::transfer(tlm::tlm_command command, abi::dma_addr at, std::byte* data,
                                                std::size_t size, sc_time& delay) {
    if (!bus_master_) [[unlikely]] {
        errors_.add();
        violated(report::violation_kind::device_protocol, at.value(), size,
                 powered_
                     ? "access to memory while the command register's bus-master bit is clear: not issued"
                     : "access to memory while the function is in D3hot: not issued");
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    }
    delay += size < small_transfers_.size() ? small_transfers_[size] : transfer_time(size);
    payload_.prepare(command, at.value(), data, size);
    dma->b_transport(payload_.transaction, delay);
    errors_.add(payload_.transaction.is_response_ok() ? 0 : 1);
    return payload_.transaction.get_response_status();
}

// --- Interrupts

void pci_function::raise_msix(unsigned vector, sc_time& delay) {
    if (!msix_enabled()) {
        return;
    }
    if (vector >= msix_->size()) {
        violated(
            report::violation_kind::device_protocol, vector, 0,
            fmt::format("MSI-X vector {} is beyond the table of {}: no interrupt", vector, msix_->size()));
        return;
    }
    msix_vector_.set(vector, sc_core::sc_time_stamp() + delay);
    if (const std::optional<msi_message> message = msix_->raise(vector)) {
        send(*message, delay);
    }
}

void pci_function::send(const msi_message& message, sc_time& delay) {
    boost::endian::little_uint32_t data = message.data;
    payload_.attributes.request = 0;
    if (transfer(tlm::TLM_WRITE_COMMAND, message.address, reinterpret_cast<std::byte*>(&data), sizeof data,
                 delay) == tlm::TLM_OK_RESPONSE) {
        messages_.add();
        msix_message_.fire(sc_core::sc_time_stamp() + delay);
    }
}

void pci_function::send_unmasked(sc_time& delay) {
    while (msix_) {
        const std::optional<msi_message> message = msix_->take_unmasked();
        if (!message) {
            return;
        }
        send(*message, delay);
    }
}

void pci_function::set_interrupt(bool asserted, const sc_time& delay) {
    interrupt_ = asserted;
    const std::uint32_t status = space_.load(layout::status, 2);
    space_.set(layout::status, 2,
               asserted ? status | layout::status_interrupt
                        : status & ~std::uint32_t{layout::status_interrupt});
    drive_pin(delay);
}

void pci_function::drive_pin(const sc_time& delay) {
    const bool disabled = (space_.load(layout::command, 2) & layout::command_interrupt_disable) != 0;
    const bool level = interrupt_ && pin_ != 0 && !disabled && !msix_enabled() && powered_;
    if (level == pin_level_) {
        return;
    }
    pin_level_ = level;
    pin_signal_.set(level, sc_core::sc_time_stamp() + delay);
    if (interrupt_pin.size() > 0) {
        interrupt_pin->interrupt_pin(devfn_, pin_, level, delay);
    }
}

void pci_function::violated(report::violation_kind kind, std::uint64_t at, std::uint64_t size,
                            std::string detail) {
    recorder_.violations().report({.when = sc_core::sc_time_stamp(),
                                   .kind = kind,
                                   .who = basename(),
                                   .address = at,
                                   .size = size,
                                   .page_state = {},
                                   .request = payload_.attributes.request,
                                   .detail = std::move(detail)});
}

// --- capabilities

void pci_function::add_msix() {
    std::array<std::byte, layout::msix_capability_size - layout::capability_body> body{};
    msix_capability_ = space_.add_capability(layout::capability_msix, body);
    space_.set(msix_capability_ + layout::msix_message_control, 2, msix_->size() - 1);
    space_.set_writable(msix_capability_ + layout::msix_message_control, 2,
                        layout::msix_enable | layout::msix_function_mask);
    space_.set(msix_capability_ + layout::msix_table, 4, msix_bar);
    space_.set(msix_capability_ + layout::msix_pending_bits, 4, msix_->pending_bits_offset() | msix_bar);
    space_.add_memory_bar(msix_bar, msix_->bar_size());
}

void pci_function::add_power_management() {
    std::array<std::byte, layout::power_capability_size - layout::capability_body> body{};
    power_capability_ = space_.add_capability(layout::capability_power_management, body);
    space_.set(power_capability_ + layout::power_capabilities, 2, layout::power_version_1_2);
    space_.set(power_capability_ + layout::power_control_status, 2, layout::power_no_soft_reset);
    space_.set_writable(power_capability_ + layout::power_control_status, 2, layout::power_state_mask);
}

// 7.8.4: of an endpoint that sets neither Relaxed Ordering nor No Snoop, sends at most 128 bytes in a packet and has no
// link, these bits are hardwired to 0, and so are the registers of link, slot and root.
void pci_function::add_express() {
    std::array<std::byte, layout::express_capability_size - layout::capability_body> body{};
    express_capability_ = space_.add_capability(layout::capability_express, body);
    const auto set = [this](unsigned which, unsigned size, std::uint32_t value) {
        space_.set(express_capability_ + which, size, value);
    };
    const auto set_writable = [this](unsigned which, std::uint32_t mask) {
        space_.set_writable(express_capability_ + which, 2, mask);
    };
    set(layout::express_capabilities, 2,
        layout::express_version_2 | layout::express_root_complex_integrated_endpoint);
    set(layout::express_device_capabilities, 4,
        layout::express_role_based_errors | layout::express_function_level_reset);
    set(layout::express_device_control, 2, layout::express_read_request_512);
    set_writable(layout::express_device_control,
                 layout::express_error_reporting | layout::express_largest_read_request);
    set(layout::express_device_capabilities2, 4, layout::express_completion_timeout_disable);
    set_writable(layout::express_device_control2, layout::express_completion_timeout_disable);
}

void pci_function::assign(unsigned devfn) {
    devfn_ = devfn;
    add_power_management();
    add_express();
    space_.remember();
}

/// A write to D1 or D2, which are not there, completes and changes nothing (Power Management 1.2, 3.2.4).
void pci_function::write_registers(unsigned offset, unsigned size, std::uint32_t value) {
    const unsigned control = power_capability_ + layout::power_control_status;
    const std::uint32_t before = space_.load(control, 2);
    space_.write(offset, size, value);
    const std::uint32_t state = space_.load(control, 2) & layout::power_state_mask;
    if (state != layout::power_state_d0 && state != layout::power_state_d3hot) {
        space_.set(control, 2, before);
    }
}

bool pci_function::asks_for_reset(unsigned offset, unsigned size, std::uint32_t value) const {
    constexpr unsigned high_byte = layout::express_device_control + 1;
    const unsigned at = express_capability_ + high_byte - offset;  // of the value; huge when it lies before
    return at < size && (value >> (8 * at) & layout::express_initiate_reset >> 8) != 0;
}

void pci_function::function_level_reset() {
    reset_function();
    set_interrupt(false, sc_core::SC_ZERO_TIME);
    space_.reset();
    if (msix_) {
        msix_->reset();
    }
    decode();
}

}  // namespace pefsim::pci
