// SPDX-License-Identifier: Apache-2.0
#include "power/mmu/partition.h"

namespace pefsim::power::mmu {

void partition::decodes(std::uint64_t real, const member* who) {
    const std::uint64_t number = real / small_page;
    if (number >= code_.size()) {
        code_.resize(number + 1);
    }
    if (code_[number]++ != 0) {
        return;  // they have been told
    }
    for (member* each : members_) {
        if (each != who) {
            each->code_appeared();
        }
    }
}

void partition::stored_into_code(std::uint64_t real, std::size_t size, const member* who) {
    for (member* each : members_) {
        if (each != who) {
            each->code_changed(real, size);
        }
    }
}

}  // namespace pefsim::power::mmu
