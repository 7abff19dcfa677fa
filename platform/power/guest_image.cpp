// SPDX-License-Identifier: Apache-2.0
#include "platform/power/guest_image.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <fmt/format.h>
#include <span>
#include <stdexcept>
#include <vector>

#include "abi/address.h"
#include "platform/input_file.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

using power::elf_image;

void require_ram(const memory::guest_ram& ram, std::uint64_t address, std::uint64_t size,
                 std::string_view what) {
    if (!ram.contains(abi::phys_addr{address}, size)) {
        throw std::invalid_argument(fmt::format("{}: {} bytes at {:#x} do not lie in RAM of {}", what, size,
                                                address, format_size(ram.size())));
    }
}

/// The doublewords at `address`, if a segment has them.
std::optional<std::array<std::uint64_t, 2>> doublewords_at(const elf_image& image, std::uint64_t address) {
    std::array<std::uint64_t, 2> found{};
    for (const elf_image::segment& each : image.segments()) {
        const std::uint64_t offset = address - each.address;
        if (address >= each.address && offset < each.content.size() &&
            each.content.size() - offset >= sizeof found) {
            std::memcpy(found.data(), each.content.data() + offset, sizeof found);
            std::ranges::transform(found, found.begin(),
                                   [](std::uint64_t word) { return boost::endian::big_to_native(word); });
            return found;
        }
    }
    return std::nullopt;
}

bool is_code(const elf_image& image, std::uint64_t address) {
    return address % 4 == 0 && std::ranges::any_of(image.segments(), [&](const elf_image::segment& each) {
               return each.execute && address >= each.address && address - each.address < each.size;
           });
}

}  // namespace

flat_image flat_image::parse(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0) {
        throw std::invalid_argument(fmt::format("'{}' is not FILE@ADDRESS", text));
    }
    return {.file = file_name(text.substr(0, at)), .address = parse_integer(text.substr(at + 1))};
}

void put(memory::guest_ram& ram, std::uint64_t address, std::span<const std::byte> content) {
    while (!content.empty()) {
        const std::uint64_t offset = address % abi::page_size;
        const std::size_t part = std::min<std::size_t>(content.size(), abi::page_size - offset);
        std::memcpy(ram.write(memory::frame_kind::normal, abi::gfn_of(abi::phys_addr{address})) + offset,
                    content.data(), part);
        address += part;
        content = content.subspan(part);
    }
}

void load(memory::guest_ram& ram, const elf_image& image) {
    for (const elf_image::segment& each : image.segments()) {
        require_ram(ram, each.physical, each.size, "a segment");
        put(ram, each.physical, each.content);
        const std::vector<std::byte> zeros(each.size - each.content.size());
        put(ram, each.physical + each.content.size(), zeros);
    }
}

void load(memory::guest_ram& ram, const flat_image& image) {
    const std::string content = content_of(image.file, ram.size());
    require_ram(ram, image.address, content.size(), image.file.string());
    put(ram, image.address, std::as_bytes(std::span(content)));
}

entry_point entry_of(const elf_image& image) {
    if (image.wide() && !image.little_endian() && image.abi() != 2) {
        const auto descriptor = doublewords_at(image, image.entry());
        if (descriptor && is_code(image, descriptor->front())) {
            return {descriptor->front(), descriptor->back()};
        }
    }
    return {image.entry(), std::nullopt};
}

}  // namespace pefsim::platform
