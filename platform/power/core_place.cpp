// SPDX-License-Identifier: Apache-2.0
#include "platform/power/core_place.h"

#include <fmt/format.h>

#include "platform/power/guest_view.h"
#include "power/engine/interrupt.h"
#include "power/isa/disassembler.h"

namespace pefsim::platform {

std::string name_of_place(std::uint64_t ea, const power::debug::symbol_lookup* symbols) {
    const std::string symbol = symbols == nullptr ? std::string() : text_of(symbols->at(ea));
    return symbol.empty() ? fmt::format("{:#x}", ea) : fmt::format("{:#x} <{}>", ea, symbol);
}

std::string place_of(const power::registers& state, const memory::memory_bus& memory,
                     const power::mmu::partition& partition, const power::debug::symbol_lookup* symbols) {
    std::string text = name_of_place(state.nip, symbols);
    if (const auto word = guest_view(state, memory, partition).instruction(state.nip)) {
        text += fmt::format(": {}", power::isa::disassemble(*word, state.nip));
    }
    return text;
}

std::vector<std::uint64_t> backtrace(const power::registers& state, const memory::memory_bus& memory,
                                     const power::mmu::partition& partition, std::size_t most) {
    constexpr std::uint64_t stack_alignment = 16;
    constexpr std::uint64_t lr_save = 16;
    power::registers seen = state;
    if ((state.msr & power::msr_sf) == 0 && (state[power::spr::lpcr] & power::lpcr::ile) != 0) {
        seen.msr |= power::msr_sf | power::msr_le;  // in firmware's code; the stack is its caller's
    }
    guest_view view(seen, memory, partition);
    std::vector<std::uint64_t> returns;
    std::uint64_t frame = state.gpr[1];
    while (returns.size() < most && frame % stack_alignment == 0) {
        const auto caller = view.doubleword(frame);  // the back chain: its caller's frame
        // A frame lies above those of what it calls; another stack (of interrupts) may lie anywhere.
        if (!caller || *caller == 0 || *caller == frame) {
            break;
        }
        const auto back_to = view.doubleword(*caller + lr_save);
        if (!back_to) {
            break;
        }
        if (const std::uint64_t lr = state[power::spr::lr]; returns.empty() && lr != 0 && lr != *back_to) {
            returns.push_back(lr);
        }
        returns.push_back(*back_to);
        frame = *caller;
    }
    return returns;
}

}  // namespace pefsim::platform
