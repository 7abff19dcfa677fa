// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "memory/guest_ram.h"
#include "power/elf_image.h"

/// What stands in a POWER guest's memory when it starts, put there as firmware would, before simulation begins.
namespace pefsim::platform {

/// A file that is loaded as it is.
struct flat_image {
    std::filesystem::path file;
    std::uint64_t address = 0;  ///< physical

    /// "FILE@ADDRESS". \throws std::invalid_argument
    static flat_image parse(std::string_view text);
};

/// Puts bytes into guest RAM, where they must lie.
void put(memory::guest_ram& ram, std::uint64_t address, std::span<const std::byte> content);
/// Puts the segments of an ELF image at their physical addresses (p_paddr), the rest of each zero.
/// \throws std::invalid_argument when a segment does not lie in RAM
void load(memory::guest_ram& ram, const power::elf_image& image);
/// \throws std::invalid_argument when the file cannot be read, or does not lie in RAM
void load(memory::guest_ram& ram, const flat_image& image);

/// Where an ELF image begins, and the value of r2 there.
struct entry_point {
    std::uint64_t address = 0;
    std::optional<std::uint64_t> toc;
};
/// The ELF header's e_entry; in a big-endian ELF64 image that does not follow version 2 of the ABI, where it leads to a
/// function descriptor (two doublewords: an address within an executable segment, and its TOC base), what stands in
/// that.
entry_point entry_of(const power::elf_image& image);

}  // namespace pefsim::platform
