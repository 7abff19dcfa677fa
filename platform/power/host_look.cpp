// SPDX-License-Identifier: Apache-2.0
#include "platform/power/host_look.h"

#include <fmt/format.h>

#include <optional>
#include <span>
#include <stdexcept>

#include "abi/address.h"
#include "memory/page_state.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

std::string hexadecimal(std::span<const std::byte> bytes, std::string_view between) {
    std::string text;
    for (const std::byte each : bytes) {
        text += fmt::format("{}{:02x}", text.empty() ? "" : between, static_cast<unsigned>(each));
    }
    return text;
}

std::string characters(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte each : bytes) {
        const char character = static_cast<char>(each);
        text += character >= ' ' && character <= '~' ? character : '.';
    }
    return text;
}

}  // namespace

std::uint64_t physical_place(std::string_view text, const power::debug::symbol_lookup& symbols) {
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        return parse_integer(text);
    }
    const std::optional<std::uint64_t> symbol = symbols.find(text);
    if (!symbol) {
        throw std::invalid_argument(
            fmt::format("'{}' is neither an address nor a symbol of the program", text));
    }
    constexpr std::uint64_t in_real_mode = 0x0fff'ffff'ffff'ffff;  // Power ISA 3.0B Book III 5.7.3
    return *symbol & in_real_mode;
}

place_to_look place_to_look::parse(std::string_view text, const power::debug::symbol_lookup& symbols) {
    const std::size_t colon = text.find(':');
    const std::string_view place = text.substr(0, colon);
    place_to_look where{.name = std::string(place)};
    if (colon != std::string_view::npos) {
        where.size = parse_size(text.substr(colon + 1));
    }
    if (where.size == 0 || where.size > largest) {
        throw std::invalid_argument(fmt::format("'{}': 1 to {} bytes are allowed", text, largest));
    }
    where.address = physical_place(place, symbols);
    return where;
}

host_look look(machine& machine, const place_to_look& where) {
    const abi::phys_addr at{where.address};
    const abi::gfn page = abi::gfn_of(at);
    const memory::memory_bus& bus = machine.memory();
    host_look what{.where = where, .page_state = {}, .outcome = "bus error", .bytes = {}};
    const bool in_ram = bus.ram().contains(at, where.size);
    what.page_state = in_ram ? std::string(memory::to_name(bus.states()[page])) : "no memory";
    const bool exposed = in_ram && bus.exposed(page);
    std::vector<std::byte> bytes(where.size);
    sc_core::sc_time delay;
    if (machine.host().accesses().read(at, bytes, delay)) {
        what.outcome = exposed ? "plaintext" : "ciphertext";
        what.bytes = std::move(bytes);
    }
    return what;
}

nlohmann::ordered_json to_json(const host_look& what) {
    return {{"place", what.where.name},
            {"address", fmt::format("{:#x}", what.where.address)},
            {"size", what.where.size},
            {"page_state", what.page_state},
            {"outcome", what.outcome},
            {"bytes", hexadecimal(what.bytes, "")},
            {"characters", characters(what.bytes)}};
}

std::string to_text(const host_look& what) {
    constexpr std::size_t in_a_line = 16;
    std::string text = fmt::format("  {} at {:#x}, {} bytes, page {}: {}\n", what.where.name,
                                   what.where.address, what.where.size, what.page_state, what.outcome);
    for (std::size_t first = 0; first < what.bytes.size(); first += in_a_line) {
        const auto line =
            std::span(what.bytes).subspan(first, std::min(in_a_line, what.bytes.size() - first));
        text += fmt::format("    {:<47}  {}\n", hexadecimal(line, " "), characters(line));
    }
    return text;
}

}  // namespace pefsim::platform
