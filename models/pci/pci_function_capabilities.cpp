// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "pci/pci_function.h"

namespace pefsim::pci {

namespace layout = abi::pci;

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
