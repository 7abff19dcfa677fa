// SPDX-License-Identifier: Apache-2.0
#include "platform/power/core_place.h"

#include <fmt/format.h>

#include "platform/power/guest_view.h"
#include "power/debug/back_chain.h"
#include "power/debug/disassembler.h"
#include "power/engine/interrupt.h"

namespace pefsim::platform {

std::string name_of_place(std::uint64_t ea, const power::debug::symbol_lookup* symbols) {
    const std::string symbol = symbols == nullptr ? std::string() : text_of(symbols->at(ea));
    return symbol.empty() ? fmt::format("{:#x}", ea) : fmt::format("{:#x} <{}>", ea, symbol);
}

std::string place_of(const power::registers& state, const memory::memory_bus& memory,
                     const power::mmu::partition& partition, const power::debug::symbol_lookup* symbols) {
    std::string text = name_of_place(state.nip, symbols);
    if (const auto word = guest_view(state, memory, partition).instruction(state.nip)) {
        text += fmt::format(": {}", power::debug::disassemble(*word, state.nip));
    }
    return text;
}

std::vector<std::uint64_t> backtrace(const power::registers& state, const memory::memory_bus& memory,
                                     const power::mmu::partition& partition, std::size_t most) {
    power::registers seen = state;
    if ((state.msr & power::msr_sf) == 0 && (state[power::spr::lpcr] & power::lpcr::ile) != 0) {
        seen.msr |= power::msr_sf | power::msr_le;  // in firmware's code; the stack is its caller's
    }
    guest_view view(seen, memory, partition);
    std::vector<std::uint64_t> returns(most);
    returns.resize(power::debug::back_chain(
        state, [&view](std::uint64_t ea) { return view.doubleword(ea); }, returns));
    return returns;
}

}  // namespace pefsim::platform
