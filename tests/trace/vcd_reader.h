// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pefsim::trace {

/// What a VCD says, by full name of the variable. Knows nothing of how pefsim writes one.
struct vcd_content {
    struct change {
        std::uint64_t time;
        std::string value;  ///< vectors without leading zeros
        friend auto operator<=>(const change&, const change&) = default;
    };
    struct variable {
        std::string type;
        unsigned width = 0;
        std::vector<change> changes;  ///< in order of the file; unknown values left out
    };
    std::string timescale;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::map<std::string, variable> variables;
};

/// \throws std::runtime_error saying what is wrong with it (also: time that goes backwards)
vcd_content read_vcd(std::string_view text);

/// What is left when of several values at one instant only the last counts, and a value like the one before does not.
/// Events count once an instant.
vcd_content settled(vcd_content content);

}  // namespace pefsim::trace
