// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "platform/machine.h"
#include "tests/fuzz/hostile_guest.h"

namespace pefsim::fuzz {

/// How the guest of a case begins.
enum class beginning : std::uint8_t { ordinary, secure };

struct guest_case {
    std::uint64_t seed = 1;
    std::uint64_t number = 0;
    beginning begins = beginning::ordinary;
    std::uint64_t steps =
        400;  ///< of CPU 0; the second CPU, where there is one, does as many at the same time
    /// Each step, in words.
    std::function<void(unsigned cpu, std::string_view what)> list;
};

/// What came of a case.
struct guest_outcome {
    std::uint64_t steps = 0;
    std::uint64_t violations = 0;
    std::uint64_t requests = 0;  ///< that devices took
    bool finished = false;       ///< else the guest was ended before
    /// Work that the guest caused, in units that cost about the same: transactions of devices, TCEs looked up, calls,
    /// events on record, and pages moved.
    std::uint64_t work = 0;
    std::uint64_t digest = 0;  ///< of all figures, all events and all memory
    std::vector<std::string> complaints;
};

/// Plays a case on a machine of its own, and judges it.
guest_outcome play(const guest_case& what);

}  // namespace pefsim::fuzz
