// SPDX-License-Identifier: Apache-2.0
#include "platform/buffer_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "abi/address.h"

namespace pefsim::platform {

namespace {

std::optional<std::uint64_t> slot_of(abi::phys_addr at, const exposure::ledger& ledger) {
    const auto pool = ledger.pool_of(abi::gfn_of(at));
    return pool ? std::optional((at - abi::page_base(*pool)) / swiotlb_slot_size) : std::nullopt;
}

std::string page_text(abi::gfn page, const memory::page_states& states) {
    return fmt::format("{:#x} ({})", page,
                       page < states.size() ? memory::to_name(states[page]) : "no memory");
}

}  // namespace

std::string buffer_text(const backend::frame_buffer& buffer, const pci::pci_function& device,
                        const pci::host_bridge& bridge, const memory::page_states& states,
                        const exposure::ledger& ledger) {
    std::string text = fmt::format("DMA {:#x}, {} bytes", buffer.at.value(), buffer.length);
    const auto first = bridge.leads_to(device, buffer.at);
    const auto last = bridge.leads_to(device, buffer.at + (std::max(buffer.length, 1U) - 1));
    if (!first || !last) {
        return text + ", not translated";
    }
    const auto first_slot = slot_of(*first, ledger);
    const auto last_slot = slot_of(*last, ledger);
    if (first_slot && last_slot) {
        text += *first_slot == *last_slot ? fmt::format(", SWIOTLB slot {}", *first_slot)
                                          : fmt::format(", SWIOTLB slots {} to {}", *first_slot, *last_slot);
    }
    const abi::gfn first_page = abi::gfn_of(*first);
    const abi::gfn last_page = abi::gfn_of(*last);
    text += (first_page == last_page ? ", page " : ", pages ") + page_text(first_page, states);
    if (first_page != last_page) {
        text += " to " + page_text(last_page, states);
    }
    return text;
}

}  // namespace pefsim::platform
