// SPDX-License-Identifier: Apache-2.0
#include "pci/config_space.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::pci {

namespace layout = abi::pci;

namespace {

/// How many of these bytes stand in the 256.
unsigned present(unsigned offset, unsigned size) {
    return std::min(size, layout::compatible_size - std::min(offset, layout::compatible_size));
}

}  // namespace

std::uint32_t config_space::load(unsigned offset, unsigned size) const {
    std::uint32_t value = 0;
    for (unsigned n = 0; n < present(offset, size); ++n) {
        value |= std::uint32_t{bytes_[offset + n]} << (8 * n);
    }
    return value;
}

void config_space::write(unsigned offset, unsigned size, std::uint32_t value) {
    for (unsigned n = 0; n < present(offset, size); ++n) {
        const auto byte = static_cast<std::uint8_t>(value >> (8 * n));
        const std::uint8_t mask = writable_[offset + n];
        bytes_[offset + n] = static_cast<std::uint8_t>((bytes_[offset + n] & ~mask) | (byte & mask));
    }
}

void config_space::set(unsigned offset, unsigned size, std::uint32_t value) {
    for (unsigned n = 0; n < size; ++n) {
        bytes_.at(offset + n) = static_cast<std::uint8_t>(value >> (8 * n));
    }
}

void config_space::set_writable(unsigned offset, unsigned size, std::uint32_t mask) {
    for (unsigned n = 0; n < size; ++n) {
        writable_.at(offset + n) = static_cast<std::uint8_t>(mask >> (8 * n));
    }
}

void config_space::add_memory_bar(unsigned bar, std::uint64_t size) {
    const std::uint64_t address_mask = ~(size - 1);
    const unsigned low = layout::base_address_register(bar);
    const unsigned high = layout::base_address_register(bar + 1);
    set(low, 4, layout::bar_type_64bit);
    set_writable(low, 4, static_cast<std::uint32_t>(address_mask) & ~layout::bar_memory_flags);
    set_writable(high, 4, static_cast<std::uint32_t>(address_mask >> 32));
}

std::uint64_t config_space::bar_address(unsigned bar) const {
    const std::uint64_t low = load(layout::base_address_register(bar), 4) & ~layout::bar_memory_flags;
    return std::uint64_t{load(layout::base_address_register(bar + 1), 4)} << 32 | low;
}

unsigned config_space::add_capability(std::uint8_t id, std::span<const std::byte> body) {
    const unsigned offset = free_;
    const auto size = layout::capability_body + static_cast<unsigned>(body.size());
    if (body.size() > layout::compatible_size || offset + size > layout::compatible_size) {
        throw std::logic_error(fmt::format(
            "capability {:#x} of {} bytes does not fit into configuration space at {:#x}", id, size, offset));
    }
    const unsigned link = capabilities_.empty() ? layout::capabilities_pointer
                                                : capabilities_.back().offset + layout::capability_next;
    set(link, 1, offset);
    set(offset + layout::capability_id, 1, id);
    for (unsigned n = 0; n < body.size(); ++n) {
        set(offset + layout::capability_body + n, 1, static_cast<std::uint8_t>(body[n]));
    }
    const std::uint32_t status = load(layout::status, 2);
    set(layout::status, 2, status | layout::status_capabilities_list);
    capabilities_.push_back({offset, size, id});
    free_ = (offset + size + 3) & ~3U;
    return offset;
}

const config_space::capability* config_space::capability_at(unsigned offset) const {
    for (const capability& candidate : capabilities_) {
        if (candidate.covers(offset)) {
            return &candidate;
        }
    }
    return nullptr;
}

}  // namespace pefsim::pci
