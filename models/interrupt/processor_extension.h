// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm>

namespace pefsim::interrupt {

/// Sideband of an MMIO access: which CPU makes it. What it finds in the TIMA is its own.
struct processor_extension : tlm::tlm_extension<processor_extension> {
    unsigned cpu = 0;  ///< interrupt server number

    [[nodiscard]] tlm_extension_base* clone() const override { return new processor_extension(*this); }
    void copy_from(const tlm_extension_base& other) override {
        *this = static_cast<const processor_extension&>(other);
    }
};

}  // namespace pefsim::interrupt
