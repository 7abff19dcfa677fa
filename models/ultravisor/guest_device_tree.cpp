// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/guest_device_tree.h"

#include <algorithm>
#include <functional>
#include <libfdt.h>
#include <span>
#include <string>

#include "ultravisor/guest_access.h"

namespace pefsim::ultravisor {

namespace {

constexpr std::size_t room_for_reservation = 64;

/// Some cells as one number.
std::uint64_t number_in(std::span<const std::byte> cells) {
    std::uint64_t value = 0;
    for (const std::byte each : cells) {
        value = value << 8 | std::to_integer<std::uint64_t>(each);
    }
    return value;
}

}  // namespace

guest_device_tree::guest_device_tree(firmware& here, abi::phys_addr at, const power::registers& state,
                                     cpu::trap_context& context)
    : at_(at) {
    std::vector<std::byte> bytes(device_tree::flat_tree::header_size);
    if (!read_guest(here, at, bytes, state, context) || fdt_magic(bytes.data()) != FDT_MAGIC) {
        return;
    }
    kind_ = kind::broken;
    const auto size = device_tree::flat_tree::size_of(bytes);
    if (!size || *size > longest) {
        return;
    }
    bytes.resize(*size);
    if (read_guest(here, at, bytes, state, context)) {
        tree_ = device_tree::flat_tree::read(bytes);
        kind_ = tree_ ? kind::good : kind::broken;
    }
}

std::uint64_t guest_device_tree::end_of_early_memory() const {
    const void* const blob = tree_->bytes().data();
    const auto address = sizeof(fdt32_t) * static_cast<unsigned>(std::max(fdt_address_cells(blob, 0), 0));
    const auto size = sizeof(fdt32_t) * static_cast<unsigned>(std::max(fdt_size_cells(blob, 0), 0));
    const auto reg = tree_->find("/memory@0", "reg");
    if (!reg || reg->size() < address + size || number_in(reg->first(address)) != 0) {
        return 0;
    }
    return std::min(number_in(reg->subspan(address, size)), early_memory);
}

std::vector<guest_device_tree::range> guest_device_tree::reserved() const {
    const void* const blob = tree_->bytes().data();
    std::vector<range> all;
    for (int i = 0; i < fdt_num_mem_rsv(blob); ++i) {
        std::uint64_t at = 0;
        std::uint64_t size = 0;
        fdt_get_mem_rsv(blob, i, &at, &size);
        all.push_back({at, at + size});
    }
    // Firmware that hands a tree over itself does not always reserve these.
    all.push_back({at_.value(), at_.value() + tree_->bytes().size()});
    for (const std::string what : {"linux,initrd", "linux,esm-blob"}) {
        all.push_back({tree_->number("/chosen", what + "-start").value_or(0),
                       tree_->number("/chosen", what + "-end").value_or(0)});
    }
    return all;
}

std::optional<abi::phys_addr> guest_device_tree::reserve_page() {
    std::uint64_t end = end_of_early_memory() & ~(abi::page_size - 1);
    std::vector<range> taken = reserved();
    // Downwards: what ends below the page does, and so does all that follows.
    std::ranges::sort(taken, std::greater(), &range::end);
    for (const range& each : taken) {
        if (end >= abi::page_size && each.begin < end && each.end > end - abi::page_size) {
            end = each.begin & ~(abi::page_size - 1);
        }
    }
    changed_.resize(tree_->bytes().size() + room_for_reservation);
    if (end < 2 * abi::page_size ||
        fdt_open_into(tree_->bytes().data(), changed_.data(), static_cast<int>(changed_.size())) != 0 ||
        fdt_add_mem_rsv(changed_.data(), end - abi::page_size, abi::page_size) != 0 ||
        fdt_pack(changed_.data()) != 0 || fdt_totalsize(changed_.data()) > tree_->bytes().size()) {
        return std::nullopt;
    }
    return abi::phys_addr{end - abi::page_size};
}

bool guest_device_tree::write_back(firmware& here, const power::registers& state,
                                   cpu::trap_context& context) const {
    return write_guest(here, at_, std::span(changed_).first(fdt_totalsize(changed_.data())), state, context);
}

}  // namespace pefsim::ultravisor
