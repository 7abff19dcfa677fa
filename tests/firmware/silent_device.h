// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pci/pci_function.h"

namespace pefsim::firmware {

/// A function with nothing behind its BAR 0: for what firmware reads and writes of any function.
class silent_device : public pci::pci_function {
public:
    using pci_function::pci_function;

private:
    std::uint64_t bar_read(std::uint64_t /*offset*/, unsigned /*size*/,
                           sc_core::sc_time& /*delay*/) override {
        return 0;
    }
    void bar_write(std::uint64_t /*offset*/, unsigned /*size*/, std::uint64_t /*value*/,
                   sc_core::sc_time& /*delay*/) override {}
};

}  // namespace pefsim::firmware
