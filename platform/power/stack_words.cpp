// SPDX-License-Identifier: Apache-2.0
#include "platform/power/stack_words.h"

#include <boost/endian/conversion.hpp>

#include "platform/power/guest_words.h"

namespace pefsim::platform {

std::optional<std::uint64_t> stack_words::real_address(std::uint64_t ea, std::uint64_t msr) {
    constexpr std::uint64_t real_mode_mask = 0x0fff'ffff'ffff'ffff;
    if ((msr & power::msr_dr) == 0) {
        return ea & real_mode_mask;
    }
    const std::uint64_t quadrant = ea >> 62;
    if (quadrant != 0 && quadrant != 3) {
        return std::nullopt;
    }
    const std::uint64_t pid = quadrant == 0 ? state_[power::spr::pidr] : 0;
    const power::mmu::walk_result found = power::mmu::walk(*this, partition_.processes(), pid, ea);
    if (found.error != power::storage_error::none) {
        return std::nullopt;
    }
    const std::uint64_t offset_mask = (std::uint64_t{1} << found.size_exponent) - 1;
    return (found.leaf.page() & ~offset_mask) | (ea & offset_mask);
}

std::optional<std::uint64_t> stack_words::doubleword(std::uint64_t ea, std::uint64_t msr) {
    if ((msr & power::msr_sf) == 0) {
        ea &= 0xffff'ffff;
    }
    const auto real = real_address(ea, msr);
    const auto found = real ? guest_word<std::uint64_t>(memory_, *real, (state_.msr & power::msr_s) != 0,
                                                        memory::access_kind::read)
                            : std::nullopt;
    return found && (msr & power::msr_le) == 0 ? boost::endian::endian_reverse(*found) : found;
}

bool stack_words::read(std::uint64_t real, std::uint64_t& value) {
    const auto found = guest_word<std::uint64_t>(memory_, real, (state_.msr & power::msr_s) != 0,
                                                 memory::access_kind::read);
    value = boost::endian::big_to_native(found.value_or(0));
    return found.has_value();
}

}  // namespace pefsim::platform
