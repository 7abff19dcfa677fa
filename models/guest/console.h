// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/spinlock.h"
#include "timing/timing.h"

namespace pefsim::guest {

/// The kernel's messages: to the virtual terminal by H_PUT_TERM_CHAR (PAPR 14.5.7), 16 bytes a call, and kept for the
/// report. A terminal that is busy 100 times in a row loses the rest of the line, nothing else.
class console : public dma_ops::kernel_log_if {
public:
    explicit console(const timing::timing& costs) : lock_(costs) {}

    void printk(native_cpu& cpu, std::string_view message) override;
    [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }

private:
    spinlock lock_;
    std::vector<std::string> messages_;
    std::string line_;
};

}  // namespace pefsim::guest
