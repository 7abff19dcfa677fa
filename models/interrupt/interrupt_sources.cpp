// SPDX-License-Identifier: Apache-2.0
#include "interrupt/interrupt_sources.h"

#include <bit>

namespace pefsim::interrupt {

namespace platform = abi::platform;

interrupt_sources::interrupt_sources(unsigned servers) : sources_(count) {
    for (std::uint32_t n = 0; n < platform::msi_source_count; ++n) {
        sources_[n].server = n % servers;
        sources_[n].priority = sources_[n].saved_priority = platform::msi_source_priority;
    }
    for (std::uint32_t n = 0; n < platform::lsi_source_count; ++n) {
        sources_[platform::first_lsi_source - first + n].level_sensitive = true;
    }
}

void interrupt_sources::note(std::uint32_t number) {
    const std::uint32_t index = number - first;
    const interrupt_source& source = sources_[index];
    const bool waits = source.priority != masked_priority &&
                       (source.level_sensitive ? source.asserted && !source.sent : source.rejected);
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    waiting_[index / 64] = waits ? waiting_[index / 64] | bit : waiting_[index / 64] & ~bit;
}

std::uint32_t interrupt_sources::waiting(std::uint32_t from) const {
    const std::uint32_t start = from - first;
    if (start >= count) {
        return 0;
    }
    std::uint64_t mask = ~std::uint64_t{0} << (start % 64);
    for (std::size_t word = start / 64; word < waiting_.size(); ++word) {
        if (const std::uint64_t bits = waiting_[word] & mask; bits != 0) {
            return first + static_cast<std::uint32_t>(64 * word) +
                   static_cast<std::uint32_t>(std::countr_zero(bits));
        }
        mask = ~std::uint64_t{0};
    }
    return 0;
}

}  // namespace pefsim::interrupt
