// SPDX-License-Identifier: Apache-2.0
#include "virtio/virtio_pci_device.h"

#include "exposure/ledger.h"

#include <array>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include "abi/pci.h"
#include "abi/virtio_packed_ring.h"
#include "abi/virtio_ring.h"
#include "report/violations.h"
#include "timing/simulation_time.h"

namespace pefsim::virtio {

namespace wire = abi::virtio::pci;
namespace spec = abi::virtio;
using sc_core::sc_time;
using timing::simulation_time;

namespace {

std::uint64_t notify_length(const virtio_pci_device::config& parameters, std::uint16_t queues) {
    return std::uint64_t{parameters.notify_multiplier} * (queues - 1U) + sizeof(std::uint32_t);
}

const virtio_pci_device::config& checked(const char* name, const virtio_pci_device::config& parameters,
                                         const device_identity& identity) {
    const std::uint32_t multiplier = parameters.notify_multiplier;
    if (multiplier != 0 && (multiplier % 2 != 0 || !std::has_single_bit(multiplier))) {
        throw std::invalid_argument(
            fmt::format("{}: notify_multiplier {} is neither 0 nor an even power of two", name, multiplier));
    }
    if (parameters.notification_data && multiplier % sizeof(std::uint32_t) != 0) {  // 4.1.4.4.1
        throw std::invalid_argument(fmt::format(
            "{}: notify_multiplier {} is no multiple of 4, as NOTIFICATION_DATA needs", name, multiplier));
    }
    if (parameters.require_access_platform && !parameters.access_platform) {
        throw std::invalid_argument(
            fmt::format("{}: ACCESS_PLATFORM cannot be required when it is not offered", name));
    }
    if (identity.queues == 0 || notify_length(parameters, identity.queues) > virtio_pci_device::region_size) {
        throw std::invalid_argument(
            fmt::format("{}: {} queues with notify_multiplier {} do not fit into {:#x} bytes", name,
                        identity.queues, multiplier, virtio_pci_device::region_size));
    }
    return parameters;
}

unsigned vectors(const virtio_pci_device::config& parameters, const device_identity& identity) {
    return parameters.msix_vectors != 0 ? parameters.msix_vectors : identity.queues + 1U;
}

// D15: 4.1.2.1.
pci::pci_function::config function_config(const virtio_pci_device::config& parameters,
                                          const device_identity& identity) {
    pci::pci_function::config function;
    function.vendor_id = wire::vendor_id;
    function.device_id = wire::pci_device_id(identity.id);
    function.revision = 1;
    function.class_code = identity.class_code;
    function.subsystem_vendor_id = wire::vendor_id;
    function.subsystem_id = static_cast<std::uint16_t>(0x40 + static_cast<std::uint16_t>(identity.id));
    function.bar_size = virtio_pci_device::notify_offset + virtio_pci_device::region_size;
    function.msix_vectors = vectors(parameters, identity);
    function.costs = parameters.costs;
    return function;
}

}  // namespace

virtio_pci_device::virtio_pci_device(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                                     const config& parameters, const device_identity& identity)
    : pci_function(module_name, recorder, function_config(parameters, identity)),
      config_(checked(name(), parameters, identity)),
      vectors_(vectors(parameters, identity)),
      common_(*this, {.queues = identity.queues,
                      .vectors = vectors_,
                      .require_access_platform = config_.require_access_platform,
                      .one_notification_address = config_.notify_multiplier == 0}),
      status_signal_(recorder, name(), "status", "device status"),
      phase_(recorder, name(), "phase", "how far the driver has come with the device"),
      features_(recorder, name(), "features", "negotiated feature bits"),
      isr_signal_(recorder, name(), "isr", "ISR status"),
      config_interrupt_(recorder, name(), "config_interrupt", "a configuration change notification is sent") {
    add_capabilities();
}

void virtio_pci_device::plug(virtio_device& device) {
    if (device.queue_count() != common_.queue_count()) {
        throw std::logic_error(fmt::format("{}: made for {} queues, {} has {}", name(), common_.queue_count(),
                                           device.name(), device.queue_count()));
    }
    device_ = &device;
    device.plug(*this);
    reset_device(sc_core::SC_ZERO_TIME);
}

// D17 .. D24: 4.1.4.
void virtio_pci_device::add_capabilities() {
    const auto add = [this](wire::cap_type type, std::uint64_t offset, std::uint64_t length,
                            auto&& capability) {
        wire::cap& cap = capability.cap;
        cap.cap_len = sizeof capability;
        cap.cfg_type = static_cast<std::uint8_t>(type);
        cap.offset = static_cast<std::uint32_t>(offset);
        cap.length = static_cast<std::uint32_t>(length);
        const auto bytes = std::as_bytes(std::span{&capability, 1});
        return add_capability(wire::cap_id_vendor_specific, bytes.subspan(abi::pci::capability_body));
    };
    struct plain {
        wire::cap cap;
    };
    wire::notify_cap notify{};
    notify.notify_off_multiplier = config_.notify_multiplier;
    const auto queues = static_cast<std::uint16_t>(common_.queue_count());
    add(wire::cap_type::common_cfg, common_offset, sizeof(wire::common_cfg), plain{});
    add(wire::cap_type::notify_cfg, notify_offset, notify_length(config_, queues), notify);
    add(wire::cap_type::isr_cfg, isr_offset, 1, plain{});
    add(wire::cap_type::device_cfg, device_offset, region_size, plain{});
    window_ = add(wire::cap_type::pci_cfg, 0, 0, wire::cfg_cap{});
}

std::uint64_t virtio_pci_device::offered_features() const {
    return spec::f_version_1 | (config_.access_platform ? spec::f_access_platform : 0) |
           (config_.indirect_desc ? spec::f_indirect_desc : 0) | (config_.event_idx ? spec::f_event_idx : 0) |
           (config_.ring_reset ? spec::f_ring_reset : 0) | (config_.packed ? spec::f_ring_packed : 0) |
           (config_.in_order ? spec::f_in_order : 0) |
           (config_.notification_data ? spec::f_notification_data : 0) | device_->features();
}

// --- BAR 0

std::uint64_t virtio_pci_device::bar_read(std::uint64_t offset, unsigned size, sc_time& delay) {
    const std::uint64_t within = offset % region_size;
    switch (offset - within) {
    case common_offset:
        return common_.read(within, size);
    case isr_offset:
        return within == 0 ? read_isr(delay) : 0;
    case device_offset: {
        std::array<std::byte, sizeof(std::uint64_t)> bytes{};
        device_->read_config(within, std::span{bytes}.first(size));
        return std::bit_cast<std::uint64_t>(bytes);
    }
    default:
        return 0;
    }
}

void virtio_pci_device::bar_write(std::uint64_t offset, unsigned size, std::uint64_t value, sc_time& delay) {
    const std::uint64_t within = offset % region_size;
    switch (offset - within) {
    case notify_offset:
        notify(within, size, value, delay);
        break;
    case common_offset:
        common_.write(within, size, value, delay);
        break;
    case device_offset:
        write_device_config(within, size, value);
        break;
    default:
        breach(fmt::format("write of {} bytes to BAR 0 at {:#x}: nothing there to write", size, offset));
    }
}

void virtio_pci_device::write_device_config(std::uint64_t offset, unsigned size, std::uint64_t value) {
    const auto bytes = std::as_bytes(std::span{&value, 1}).first(size);
    if (!device_->write_config(offset, bytes)) {
        breach(fmt::format("write of {:#x} to {} bytes of the device configuration at {:#x}: not allowed",
                           value, size, offset));
    }
}

// 4.1.5.2: the queue's index, 16 bits; with NOTIFICATION_DATA 32, the upper half where the driver is in the ring (2.9).
// The device finds that in the ring itself: it only has to make sense.
void virtio_pci_device::notify(std::uint64_t offset, unsigned size, std::uint64_t value,
                               const sc_time& delay) {
    const std::uint32_t multiplier = config_.notify_multiplier;
    const bool with_data = common_.negotiated(spec::f_notification_data);
    const std::uint64_t number = with_data ? value & 0xffff : value;
    const bool addressed = multiplier == 0 ? offset == 0
                                           : offset % multiplier == 0 && offset / multiplier == number;
    if (!addressed || number >= common_.queue_count()) {
        breach(
            fmt::format("notification {} at offset {:#x}: no queue is notified in this way", value, offset));
        return;
    }
    const auto queue = static_cast<std::uint16_t>(number);
    const unsigned proper = with_data ? sizeof(std::uint32_t) : sizeof(std::uint16_t);
    if (size != proper) {
        breach(fmt::format("notification of queue {} with {} bytes instead of {}", queue, size, proper));
    }
    if (const std::uint64_t place = value >> 16 & 0x7fff;
        with_data && common_.negotiated(spec::f_ring_packed) && place >= common_.queue(queue).size) {
        breach(fmt::format("notification of queue {} names place {} of a ring of {}", queue, place,
                           common_.queue(queue).size));
    }
    if (!common_.has(spec::status_driver_ok)) {
        breach(fmt::format("notification of queue {} before DRIVER_OK", queue));
        notified_early_.insert(queue);
        return;
    }
    if (!common_.queue(queue).enabled) {
        breach(fmt::format("notification of queue {} while it is not enabled", queue));
        return;
    }
    if (device_->active(queue)) {  // else the device waits for its reset
        device_->kick(queue, delay);
    }
}

// --- what a driver does to the common configuration

void virtio_pci_device::features_accepted() {
    set_iommu_bypass(!common_.negotiated(spec::f_access_platform));
    device_->negotiated(common_.negotiated_features());
}

void virtio_pci_device::activate(std::uint16_t queue) {
    const queue_registers& q = common_.queue(queue);
    device_->activate(queue, {.size = q.size,
                              .desc = abi::dma_addr{q.desc},
                              .driver = abi::dma_addr{q.driver},
                              .device = abi::dma_addr{q.device},
                              .indirect = common_.negotiated(spec::f_indirect_desc),
                              .event_idx = common_.negotiated(spec::f_event_idx),
                              .packed = common_.negotiated(spec::f_ring_packed)});
    const bool packed = common_.negotiated(spec::f_ring_packed);
    constexpr std::uint64_t event = sizeof(spec::event_suppress);
    named(abi::dma_addr{q.desc}, spec::desc_area_size(q.size), 0, queue, packed);
    named(abi::dma_addr{q.driver}, packed ? event : spec::avail_area_size(q.size), 0, queue, false);
    named(abi::dma_addr{q.device}, packed ? event : spec::used_area_size(q.size), 0, queue, true);
    if (notified_early_.erase(queue) != 0) {
        device_->kick(queue, sc_core::SC_ZERO_TIME);
    }
}

// D3, D18, D25.
void virtio_pci_device::reset_device(const sc_time& when) {
    device_->reset();
    common_.reset();
    notified_early_.clear();
    isr_ = 0;
    set_interrupt(false, sc_core::SC_ZERO_TIME);
    status_changed(when);
}

void virtio_pci_device::status_changed(const sc_time& when) {
    status_signal_.set(common_.status(), when);
    phase_.set(phase_of(common_.status()), when);
    features_.set(common_.negotiated_features(), when);
    isr_signal_.set(isr_, when);
}

// --- window in configuration space (D24)

void virtio_pci_device::capability_write(unsigned offset, unsigned size, std::uint32_t value) {
    if (offset < window_ || offset >= window_ + sizeof(wire::cfg_cap)) {
        breach(fmt::format("write to the read-only capability at {:#x} of configuration space", offset));
        return;
    }
    const unsigned within = offset - window_;
    if (within < wire::cap_bar_offset) {
        return;  // id, next, length and type stay
    }
    store_capability(offset, size, value);
    if (within < wire::cfg_cap_data_offset || !window_usable()) {
        return;
    }
    sc_time delay;
    const unsigned length = load_capability(window_ + wire::cap_length_offset, 4);
    bar_write(load_capability(window_ + wire::cap_offset_offset, 4), length,
              load_capability(window_ + wire::cfg_cap_data_offset, length), delay);
}

std::uint32_t virtio_pci_device::capability_read(unsigned offset, unsigned size, std::uint32_t stored) {
    const unsigned data = window_ + wire::cfg_cap_data_offset;
    if (offset < data || offset >= data + sizeof(std::uint32_t) || !window_usable()) {
        return stored;
    }
    sc_time delay;
    const unsigned length = load_capability(window_ + wire::cap_length_offset, 4);
    const std::uint64_t value = bar_read(load_capability(window_ + wire::cap_offset_offset, 4), length,
                                         delay);
    store_capability(data, length, static_cast<std::uint32_t>(value));
    return load_capability(offset, size);
}

// 4.1.4.9.2: the driver's side of the bargain.
bool virtio_pci_device::window_usable() {
    const std::uint32_t number = load_capability(window_ + wire::cap_bar_offset, 1);
    const std::uint32_t offset = load_capability(window_ + wire::cap_offset_offset, 4);
    const std::uint32_t length = load_capability(window_ + wire::cap_length_offset, 4);
    const bool usable = number == 0 && (length == 1 || length == 2 || length == 4) && offset % length == 0 &&
                        offset < notify_offset + region_size;
    if (!usable) {
        breach(fmt::format("access through the PCI_CFG window to {} bytes of BAR {} at {:#x}: not executed",
                           length, number, offset));
    }
    return usable;
}

// --- interrupts

// D20, D26: with MSI-X the mapped vector, or none; else the pin, with the ISR bit set before it.
bool virtio_pci_device::interrupt(std::uint16_t vector, std::uint8_t isr_bit, sc_time& delay) {
    if (msix_enabled()) {
        if (vector == wire::msi_no_vector) {
            return false;
        }
        raise_msix(vector, delay);
        return true;
    }
    isr_ |= isr_bit;
    isr_signal_.set(isr_, simulation_time() + delay);
    set_interrupt(true, delay);
    return true;
}

bool virtio_pci_device::queue_interrupt(std::uint16_t queue, sc_time& delay) {
    return interrupt(common_.queue(queue).vector, wire::isr_queue_interrupt, delay);
}

void virtio_pci_device::config_interrupt(sc_time& delay) {
    if (!common_.has(spec::status_driver_ok)) {
        return;
    }
    isr_ |= wire::isr_config_interrupt;
    isr_signal_.set(isr_, simulation_time() + delay);
    if (interrupt(common_.config_vector(), wire::isr_config_interrupt, delay)) {
        config_interrupt_.fire(simulation_time() + delay);
    }
}

void virtio_pci_device::config_changed(sc_time& delay) {
    common_.device_configuration_changed();
    config_interrupt(delay);
}

// D1: 2.1.2.
void virtio_pci_device::needs_reset(sc_time& delay) {
    common_.needs_reset();
    status_changed(simulation_time() + delay);
    config_interrupt(delay);
}

std::uint64_t virtio_pci_device::read_isr(sc_time& delay) {
    const std::uint8_t value = std::exchange(isr_, std::uint8_t{0});
    isr_signal_.set(isr_, simulation_time() + delay);
    set_interrupt(false, delay);
    return value;
}

void virtio_pci_device::breach(std::string detail) {
    recorder_.violations().report({.when = simulation_time(),
                                   .kind = report::violation_kind::device_protocol,
                                   .who = basename(),
                                   .address = 0,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = std::move(detail)});
}

void virtio_pci_device::returned(std::uint64_t request) { recorder_.ledger().returned(initiator(), request); }

}  // namespace pefsim::virtio
