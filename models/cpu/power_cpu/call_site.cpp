// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/call_site.h"

#include <boost/endian/conversion.hpp>
#include <cstring>
#include <span>

#include "power/debug/back_chain.h"

namespace pefsim::cpu {

std::uint64_t call_site::origin() {
    const power::registers& state = core_.state;
    const std::uint64_t now = core_.instructions();
    const bool same = state.gpr[1] == frame_ && state[power::spr::lr] == link_ && now - seen_ <= same_for;
    seen_ = now;
    if (!same) {
        find_callers();
    }
    named& known = latest_[state.nip / 4 % latest_.size()];
    if (known.origin == 0 || known.place != state.nip || known.callers != callers_) [[unlikely]] {
        known = {state.nip, callers_, ledger_.chains().origin(state.nip, callers_)};
    }
    return known.origin;
}

void call_site::find_callers() {
    frame_ = core_.state.gpr[1];
    link_ = core_.state[power::spr::lr];
    std::array<std::uint64_t, depth> returns{};
    const std::size_t count = power::debug::back_chain(
        core_.state, [this](std::uint64_t ea) { return doubleword(ea); }, returns);
    callers_ = ledger_.chains().callers(std::span(returns).first(count));
}

/// Where the core has not been lately, or may not remember because somebody watches, the tables tell.
std::optional<std::uint64_t> call_site::doubleword(std::uint64_t ea) {
    if ((ea ^ frame_) >> 62 != 0) {
        return std::nullopt;
    }
    std::optional<std::uint64_t> value = core_.look(ea);
    if (!value && ea % sizeof(std::uint64_t) == 0) {
        if (const auto real = real_address(ea)) {
            if (const std::byte* at = memory_.readable(abi::phys_addr{*real}, sizeof(std::uint64_t))) {
                std::memcpy(&value.emplace(), at, sizeof(std::uint64_t));
            }
        }
    }
    if (value) {
        value = (core_.state.msr & power::msr_le) != 0 ? boost::endian::little_to_native(*value)
                                                       : boost::endian::big_to_native(*value);
    }
    return value;
}

std::optional<std::uint64_t> call_site::real_address(std::uint64_t ea) {
    constexpr std::uint64_t real_mode_mask = 0x0fff'ffff'ffff'ffff;
    const power::registers& state = core_.state;
    if ((state.msr & power::msr_dr) == 0) {
        return ea & real_mode_mask;
    }
    const std::uint64_t pid = ea >> 62 == 0 ? state[power::spr::pidr] : 0;
    const power::mmu::walk_result found = power::mmu::walk(*this, partition_.processes(), pid, ea);
    if (found.error != power::storage_error::none) {
        return std::nullopt;
    }
    const std::uint64_t offset_mask = (std::uint64_t{1} << found.size_exponent) - 1;
    return (found.leaf.page() & ~offset_mask) | (ea & offset_mask);
}

bool call_site::read(std::uint64_t real, std::uint64_t& value) {
    const std::byte* const at = memory_.readable(abi::phys_addr{real}, sizeof value);
    if (at == nullptr) {
        return false;
    }
    std::memcpy(&value, at, sizeof value);
    value = boost::endian::big_to_native(value);
    return true;
}

}  // namespace pefsim::cpu
