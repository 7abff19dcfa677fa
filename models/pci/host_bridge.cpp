// SPDX-License-Identifier: Apache-2.0
#include "pci/host_bridge.h"
#include "report/violations.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace pefsim::pci {

namespace layout = abi::pci;
namespace platform = abi::platform;
using sc_core::sc_time;

namespace {

constexpr bool within(std::uint64_t at, abi::phys_addr base, std::uint64_t size) {
    return at - base.value() < size;
}

std::uint64_t data_of(const tlm::tlm_generic_payload& payload) {
    std::uint64_t value = 0;
    std::memcpy(&value, payload.get_data_ptr(),
                std::min<std::size_t>(payload.get_data_length(), sizeof value));
    return boost::endian::little_to_native(value);
}

void set_data(tlm::tlm_generic_payload& payload, std::uint64_t value) {
    value = boost::endian::native_to_little(value);
    std::memcpy(payload.get_data_ptr(), &value,
                std::min<std::size_t>(payload.get_data_length(), sizeof value));
}

std::uint64_t permission_for(const tlm::tlm_generic_payload& payload) {
    return payload.is_write() ? abi::tce_write : abi::tce_read;
}

/// Bytes of `left` that lie in the page of `at`: the window's, and the guest's.
std::uint64_t in_page(const tce_window& window, std::uint64_t at, std::uint64_t left) {
    const std::uint64_t page = std::min<std::uint64_t>(window.page_size(), abi::page_size);
    return std::min(left, page - at % page);
}

/// With whatever permission there is.
tce_window::translation translate_any(const tce_window& window, abi::dma_addr at) {
    const auto readable = window.translate(at, abi::tce_read);
    return readable.valid ? readable : window.translate(at, abi::tce_write);
}

}  // namespace

host_bridge::host_bridge(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                         const config& parameters)
    : sc_module(module_name),
      mmio("mmio"),
      devices("devices"),
      memory("memory"),
      interrupts("interrupts"),
      recorder_(recorder),
      bypass_(parameters.iommu_bypass),
      tce_walk_(parameters.costs.tce_walk_ns, sc_core::SC_NS),
      msi_latency_(parameters.costs.msi_ns, sc_core::SC_NS),
      iommu_(parameters.ram_size),
      lookup_address_(recorder, name(), "tce_lookup_address", "bus address that the IOMMU looked up last"),
      lookup_result_(recorder, name(), "tce_lookup_result", "guest physical address that it found"),
      fault_(recorder, name(), "iommu_fault", "an access had no translation or no permission"),
      msi_source_(recorder, name(), "msi_source", "source number of the last interrupt message"),
      lookups_(recorder.metrics(), name(), "tce_lookups", "entries", "TCEs looked up"),
      faults_(recorder.metrics(), name(), "iommu_faults", "accesses", "accesses that did not translate"),
      bypasses_(recorder.metrics(), name(), "iommu_bypasses", "accesses",
                "device accesses without translation"),
      messages_(recorder.metrics(), name(), "interrupt_messages", "interrupts",
                "message-signalled interrupts"),
      unclaimed_(recorder.metrics(), name(), "unclaimed_accesses", "accesses",
                 "MMIO accesses that no BAR decodes") {
    mmio.register_b_transport(this, &host_bridge::mmio_transport);
    devices.register_b_transport(this, &host_bridge::device_transport);
    devices.register_transport_dbg(this, &host_bridge::judge_address);
}

void host_bridge::attach(unsigned devfn, pci_function& function) {
    if (devfn >= slots_.size() || slots_[devfn] != nullptr) {
        throw std::invalid_argument(fmt::format("{}: slot {:02x}.{} {}, so that {} cannot be attached there",
                                                name(), layout::device_of(devfn), layout::function_of(devfn),
                                                devfn < slots_.size() ? "is taken" : "does not exist",
                                                function.basename()));
    }
    slots_[devfn] = &function;
    iommu_.add_window(devfn);
    functions_.push_back({&function, &iommu_.windows(devfn)});
    function.assign(devfn);
    function.dma.bind(devices);
    function.interrupt_pin.bind(*this);
}

// --- From the guest

void host_bridge::mmio_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    const std::uint64_t at = payload.get_address();
    bool claimed = false;
    if (payload.is_read()) {
        std::memset(payload.get_data_ptr(), 0xff, payload.get_data_length());
    }
    if (within(at, platform::pci_memory_base, platform::pci_memory_size)) {
        claimed = memory_access(payload, delay);
    } else if (within(at, platform::ecam_base, platform::ecam_size)) {
        config_access(payload, at - platform::ecam_base.value());
        claimed = true;
    }
    unclaimed_.add(claimed ? 0 : 1);
    payload.set_response_status(claimed ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

void host_bridge::config_access(tlm::tlm_generic_payload& payload, std::uint64_t offset) {
    pci_function* const target = slots_[layout::ecam_devfn(offset)];
    if (target == nullptr) {
        return;
    }
    const unsigned at = layout::ecam_register(offset);
    const unsigned size = payload.get_data_length();
    if (payload.is_write()) {
        target->config_write(at, size, static_cast<std::uint32_t>(data_of(payload)));
    } else if (size <= 4) {
        set_data(payload, target->config_read(at, size));
    } else {
        target->config_read(at, size);  // a violation; the ones stay
    }
}

bool host_bridge::memory_access(tlm::tlm_generic_payload& payload, sc_time& delay) {
    const std::uint64_t at = payload.get_address();
    const unsigned size = payload.get_data_length();
    if (payload.is_write()) {
        const std::uint64_t value = data_of(payload);
        return std::ranges::any_of(functions_, [&](const attached& each) {
            return each.function->memory_write(at, size, value, delay);
        });
    }
    std::uint64_t value = ~std::uint64_t{0};
    const bool claimed = std::ranges::any_of(
        functions_, [&](const attached& each) { return each.function->memory_read(at, size, value, delay); });
    set_data(payload, value);
    return claimed;
}

// --- From the devices

void host_bridge::device_transport(int initiator, tlm::tlm_generic_payload& payload, sc_time& delay) {
    const attached& from = functions_[static_cast<std::size_t>(initiator)];
    if (payload.get_address() == platform::msi_address.value() && payload.is_write()) {
        message(from, payload, delay);
    } else if (bypass_ || from.function->iommu_bypass()) {
        bypasses_.add();
        memory->b_transport(payload, delay);
    } else if (translates(from, payload, delay)) {
        move_pages(payload, delay);
    } else {
        payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    }
}

/// What does not translate is a fault when it is used, and nothing that the host could read.
unsigned host_bridge::judge_address(int initiator, tlm::tlm_generic_payload& payload) {
    const attached& from = functions_[static_cast<std::size_t>(initiator)];
    if (payload.get_command() != tlm::TLM_IGNORE_COMMAND) {
        return 0;
    }
    if (bypass_ || from.function->iommu_bypass()) {
        return memory->transport_dbg(payload);
    }
    transaction_.attributes = *payload.get_extension<memory::bus_attributes>();
    // What lies together in guest memory is one address to its driver, however many TCEs it takes.
    abi::phys_addr begin{};
    std::uint64_t size = 0;
    const auto judge_what_is_together = [&] {
        if (size != 0) {
            transaction_.prepare(tlm::TLM_IGNORE_COMMAND, begin.value(), nullptr, size);
            memory->transport_dbg(transaction_.transaction);
        }
        size = 0;
    };
    abi::dma_addr at{payload.get_address()};
    for (std::uint64_t left = payload.get_data_length(); left > 0;) {
        const tce_window* const window = from.windows->of(at);
        if (window == nullptr) {
            break;
        }
        const std::uint64_t step = in_page(*window, at.value(), left);
        const auto found = translate_any(*window, at);
        if (!found.valid || found.at != begin + size) {
            judge_what_is_together();
            begin = found.at;
        }
        size += found.valid ? step : 0;
        at = at + step;
        left -= step;
    }
    judge_what_is_together();
    return 0;
}

std::optional<abi::phys_addr> host_bridge::leads_to(const pci_function& from, abi::dma_addr at) const {
    if (bypass_ || from.iommu_bypass()) {
        return abi::phys_addr{at.value()};
    }
    const tce_window* const window = iommu_.windows(from.devfn()).of(at);
    const auto found = window != nullptr ? translate_any(*window, at) : tce_window::translation{};
    return found.valid ? std::optional(found.at) : std::nullopt;
}

void host_bridge::message(const attached& from, tlm::tlm_generic_payload& payload, const sc_time& delay) {
    const auto source = static_cast<std::uint32_t>(data_of(payload));
    const sc_time arrival = delay + msi_latency_;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    if (payload.get_data_length() != sizeof source || !interrupts->raise(source, arrival)) {
        violated(from, report::violation_kind::device_protocol, payload, sc_core::sc_time_stamp() + delay,
                 fmt::format("interrupt message {:#x} of {} bytes names no message source: dropped", source,
                             payload.get_data_length()));
        return;
    }
    messages_.add();
    msi_source_.set(source, sc_core::sc_time_stamp() + arrival);
}

/// Looks up every page of the access, once: what has been judged is what move_pages() reaches.
/// \returns false, reported, when one of them does not translate
bool host_bridge::translates(const attached& from, const tlm::tlm_generic_payload& payload, sc_time& delay) {
    const std::uint64_t needed = permission_for(payload);
    pieces_.clear();
    abi::dma_addr at{payload.get_address()};
    for (std::uint64_t left = payload.get_data_length(); left > 0;) {
        delay += tce_walk_;
        lookups_.add();
        const tce_window* const window = from.windows->of(at);
        const tce_window::translation found = window != nullptr ? window->translate(at, needed)
                                                                : tce_window::translation{};
        const sc_time when = sc_core::sc_time_stamp() + delay;
        lookup_address_.set(at, when);
        lookup_result_.set(found.at, when);
        if (!found.valid) [[unlikely]] {
            faults_.add();
            fault_.fire(when);
            violated(from, report::violation_kind::iommu_fault, payload, when,
                     fmt::format("bus address {:#x} may not be {}: no byte moved", at.value(),
                                 payload.is_write() ? "written" : "read"));
            return false;
        }
        const std::uint64_t step = in_page(*window, at.value(), left);
        pieces_.push_back({found.at, step});
        at = at + step;
        left -= step;
    }
    return true;
}

/// After translates().
void host_bridge::move_pages(tlm::tlm_generic_payload& payload, sc_time& delay) {
    transaction_.attributes = *payload.get_extension<memory::bus_attributes>();
    unsigned char* data = payload.get_data_ptr();
    tlm::tlm_response_status response = tlm::TLM_OK_RESPONSE;
    for (const piece& each : pieces_) {
        transaction_.prepare(payload.get_command(), each.at.value(), data, each.size);
        memory->b_transport(transaction_.transaction, delay);
        response = transaction_.transaction.get_response_status();
        if (response != tlm::TLM_OK_RESPONSE) {
            break;
        }
        data += each.size;
    }
    payload.set_response_status(response);
}

void host_bridge::interrupt_pin(unsigned devfn, unsigned pin, bool asserted, const sc_time& delay) {
    const unsigned wire = (layout::device_of(devfn) + pin - 1) % platform::lsi_source_count;
    const unsigned before = pins_asserted_[wire];
    pins_asserted_[wire] = asserted ? before + 1 : before - 1;
    if ((before > 0) != (pins_asserted_[wire] > 0)) {
        interrupts->set_level(platform::first_lsi_source + wire, asserted, delay);
    }
}

void host_bridge::violated(const attached& from, report::violation_kind kind,
                           const tlm::tlm_generic_payload& payload, const sc_time& when, std::string detail) {
    const auto* const attributes = payload.get_extension<memory::bus_attributes>();
    recorder_.violations().report({.when = when,
                                   .kind = kind,
                                   .who = from.function->basename(),
                                   .address = payload.get_address(),
                                   .size = payload.get_data_length(),
                                   .page_state = {},
                                   .request = attributes == nullptr ? 0 : attributes->request,
                                   .detail = std::move(detail)});
}

}  // namespace pefsim::pci
