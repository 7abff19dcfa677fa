// SPDX-License-Identifier: Apache-2.0
#include "pci/msix.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::pci {

namespace layout = abi::pci;
using layout::msix_table_entry;

namespace {

constexpr std::uint64_t smallest_bar = 0x1000;

unsigned checked_vectors(unsigned vectors) {
    if (vectors == 0 || vectors > layout::msix_max_vectors) {
        throw std::invalid_argument(
            fmt::format("msix_vectors is {}; allowed are 1 to {}", vectors, layout::msix_max_vectors));
    }
    return vectors;
}

}  // namespace

msix_vectors::msix_vectors(unsigned vectors)
    : table_(checked_vectors(vectors)),
      pending_((vectors + 63) / 64),
      bar_size_(std::max(smallest_bar, 2 * std::bit_ceil(vectors * sizeof(msix_table_entry)))) {
    reset();
}

void msix_vectors::reset() {
    std::ranges::fill(table_, msix_table_entry{0, 0, 0, layout::msix_vector_masked});
    std::ranges::fill(pending_, std::uint64_t{0});
    set_control(false, false);
}

std::uint64_t msix_vectors::read(std::uint64_t offset, unsigned size) const {
    const std::uint64_t low = read_word(offset);
    return size == 8 ? std::uint64_t{read_word(offset + 4)} << 32 | low : low;
}

void msix_vectors::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    write_word(offset, static_cast<std::uint32_t>(value));
    if (size == 8) {
        write_word(offset + 4, static_cast<std::uint32_t>(value >> 32));
    }
}

std::uint32_t msix_vectors::read_word(std::uint64_t offset) const {
    if (offset >= pending_bits_offset()) {
        const std::uint64_t word = (offset - pending_bits_offset()) / 8;
        return word < pending_.size() ? static_cast<std::uint32_t>(pending_[word] >> (8 * (offset & 4))) : 0;
    }
    const std::uint64_t vector = offset / sizeof(msix_table_entry);
    if (vector >= table_.size()) {
        return 0;
    }
    const msix_table_entry& entry = table_[vector];
    switch (offset % sizeof(msix_table_entry)) {
    case offsetof(msix_table_entry, address_low):
        return entry.address_low;
    case offsetof(msix_table_entry, address_high):
        return entry.address_high;
    case offsetof(msix_table_entry, data):
        return entry.data;
    default:
        return entry.vector_control;
    }
}

void msix_vectors::write_word(std::uint64_t offset, std::uint32_t value) {
    const std::uint64_t vector = offset / sizeof(msix_table_entry);
    if (vector >= table_.size()) {
        return;  // reserved, or among the pending bits, which stand behind the table and are read-only
    }
    msix_table_entry& entry = table_[vector];
    switch (offset % sizeof(msix_table_entry)) {
    case offsetof(msix_table_entry, address_low):
        entry.address_low = value & ~3U;
        break;
    case offsetof(msix_table_entry, address_high):
        entry.address_high = value;
        break;
    case offsetof(msix_table_entry, data):
        entry.data = value;
        break;
    default:
        entry.vector_control = value & layout::msix_vector_masked;
        break;
    }
}

void msix_vectors::set_message(unsigned vector, const msi_message& message) {
    msix_table_entry& entry = table_.at(vector);
    entry.address_low = static_cast<std::uint32_t>(message.address.value());
    entry.address_high = static_cast<std::uint32_t>(message.address.value() >> 32);
    entry.data = message.data;
}

msi_message msix_vectors::message(unsigned vector) const {
    const msix_table_entry& entry = table_[vector];
    return {abi::dma_addr{std::uint64_t{entry.address_high} << 32 | entry.address_low}, entry.data};
}

std::optional<msi_message> msix_vectors::raise(unsigned vector) {
    if (masked(vector)) {
        pending_[vector / 64] |= std::uint64_t{1} << (vector % 64);
        return std::nullopt;
    }
    return message(vector);
}

std::optional<msi_message> msix_vectors::take_unmasked() {
    if (!enabled_ || function_masked_) {
        return std::nullopt;
    }
    for (std::size_t word = 0; word < pending_.size(); ++word) {
        for (std::uint64_t bits = pending_[word]; bits != 0; bits &= bits - 1) {
            const auto bit = static_cast<unsigned>(std::countr_zero(bits));
            const auto vector = static_cast<unsigned>(64 * word) + bit;
            if (!masked(vector)) {
                pending_[word] &= ~(std::uint64_t{1} << bit);
                return message(vector);
            }
        }
    }
    return std::nullopt;
}

}  // namespace pefsim::pci
