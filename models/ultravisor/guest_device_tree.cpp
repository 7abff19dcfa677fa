// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/guest_device_tree.h"

#include <algorithm>
#include <array>
#include <libfdt.h>

#include "ultravisor/guest_access.h"

namespace pefsim::ultravisor {

namespace {

constexpr std::size_t room_for_reservation = 64;

const void* blob(const std::vector<std::byte>& tree) { return tree.data(); }

/// One of several cells.
std::uint64_t cells(const fdt32_t* from, unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
        value = value << 32 | fdt32_to_cpu(from[i]);
    }
    return value;
}

}  // namespace

guest_device_tree::guest_device_tree(firmware& here, abi::phys_addr at, const power::registers& state,
                                     cpu::trap_context& context)
    : at_(at) {
    std::array<std::byte, sizeof(fdt_header)> header{};
    if (!read_guest(here, at, header, state, context) || fdt_magic(header.data()) != FDT_MAGIC) {
        return;
    }
    kind_ = kind::broken;
    size_ = fdt_totalsize(header.data());
    if (size_ < sizeof(fdt_header) || size_ > longest) {
        return;
    }
    std::vector<std::byte> original(size_);
    if (!read_guest(here, at, original, state, context) || fdt_check_full(original.data(), size_) != 0) {
        return;
    }
    tree_.resize(size_ + room_for_reservation);
    if (fdt_open_into(original.data(), tree_.data(), static_cast<int>(tree_.size())) == 0) {
        kind_ = kind::good;
    }
}

std::optional<std::uint32_t> guest_device_tree::cell(const std::string& node,
                                                     const std::string& property) const {
    int size = 0;
    const void* const value = fdt_getprop(blob(tree_), fdt_path_offset(blob(tree_), node.c_str()),
                                          property.c_str(), &size);
    if (value == nullptr || size < static_cast<int>(sizeof(fdt32_t))) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(cells(static_cast<const fdt32_t*>(value), 1));
}

std::uint64_t guest_device_tree::end_of_early_memory() const {
    const auto address_cells = static_cast<unsigned>(std::max(fdt_address_cells(blob(tree_), 0), 0));
    const auto size_cells = static_cast<unsigned>(std::max(fdt_size_cells(blob(tree_), 0), 0));
    int size = 0;
    const void* const reg = fdt_getprop(blob(tree_), fdt_path_offset(blob(tree_), "/memory@0"), "reg", &size);
    if (reg == nullptr || static_cast<std::size_t>(size) < (address_cells + size_cells) * sizeof(fdt32_t)) {
        return 0;
    }
    const auto* const range = static_cast<const fdt32_t*>(reg);
    return cells(range, address_cells) == 0 ? std::min(cells(range + address_cells, size_cells), early_memory)
                                            : 0;
}

/// \param lowest where the lowest reservation that overlaps begins
bool guest_device_tree::reserved(std::uint64_t begin, std::uint64_t end, std::uint64_t& lowest) const {
    bool found = false;
    const auto consider = [&](std::uint64_t first, std::uint64_t past) {
        if (first < end && begin < past) {
            lowest = found ? std::min(lowest, first) : first;
            found = true;
        }
    };
    for (int i = 0; i < fdt_num_mem_rsv(blob(tree_)); ++i) {
        std::uint64_t at = 0;
        std::uint64_t size = 0;
        fdt_get_mem_rsv(blob(tree_), i, &at, &size);
        consider(at, at + size);
    }
    // Firmware that hands a tree over itself does not always reserve these.
    consider(at_.value(), at_.value() + size_);
    const auto initrd = cell("/chosen", "linux,initrd-start");
    const auto initrd_end = cell("/chosen", "linux,initrd-end");
    consider(initrd.value_or(0), initrd_end.value_or(0));
    return found;
}

std::optional<abi::phys_addr> guest_device_tree::reserve_page() {
    std::uint64_t end = end_of_early_memory() & ~(abi::page_size - 1);
    std::uint64_t lowest = 0;
    while (end >= 2 * abi::page_size && reserved(end - abi::page_size, end, lowest)) {
        end = lowest & ~(abi::page_size - 1);
    }
    if (end < 2 * abi::page_size ||
        fdt_add_mem_rsv(tree_.data(), end - abi::page_size, abi::page_size) != 0 ||
        fdt_pack(tree_.data()) != 0 || fdt_totalsize(blob(tree_)) > size_) {
        return std::nullopt;
    }
    return abi::phys_addr{end - abi::page_size};
}

bool guest_device_tree::write_back(firmware& here, const power::registers& state,
                                   cpu::trap_context& context) const {
    return write_guest(here, at_, std::span(tree_).first(fdt_totalsize(blob(tree_))), state, context);
}

}  // namespace pefsim::ultravisor
