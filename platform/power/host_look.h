// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "platform/machine.h"
#include "power/debug/symbols.h"

/// What the host sees when it looks into the guest's memory.
namespace pefsim::platform {

/// A place in memory that a user names: a physical address, or a symbol. A symbol's is meant as in real mode, where its
/// four leftmost bits do not count: a kernel's is the physical one.
/// \throws std::invalid_argument when it is neither
std::uint64_t physical_place(std::string_view text, const power::debug::symbol_lookup& symbols);

/// Where it is to look: "PLACE[:SIZE]", and bytes (64, unless they are told).
struct place_to_look {
    static constexpr std::size_t largest = 4096;

    std::string name;  ///< as the user wrote it
    std::uint64_t address = 0;
    std::size_t size = 64;

    /// \throws std::invalid_argument saying what is wrong with `text`
    static place_to_look parse(std::string_view text, const power::debug::symbol_lookup& symbols);
};

/// An access of the hypervisor's own, over the bus, and what came of it.
struct host_look {
    place_to_look where;
    std::string page_state;  ///< of the first page, before the host touched it
    std::string outcome;     ///< "plaintext", "ciphertext" (the page was paged out for it), "bus error"
    std::vector<std::byte> bytes;
};
host_look look(machine& machine, const place_to_look& where);

nlohmann::ordered_json to_json(const host_look& what);
/// Lines of hexadecimal numbers and characters.
std::string to_text(const host_look& what);

}  // namespace pefsim::platform
