// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>

#include "power/debug/monitor.h"
#include "power/debug/symbols.h"
#include "power/debug/trace_reader.h"

namespace pefsim::power::debug {

/// What of a trace is to be written.
struct render_window {
    trace_window window;
    std::uint64_t from_picoseconds = 0;
    std::uint64_t to_picoseconds = std::numeric_limits<std::uint64_t>::max();
    std::size_t most_lines = std::numeric_limits<std::size_t>::max();
};

/// One line, without its end: number, address, word, assembly language, and what came of it:
///
///        17  0000000000010520  e8610020  ld      r3,32(r1)            r3=0x2a  [0x7fffe0]
std::string line_of(const trace_step& step);

/// Writes the trace, with a line for each symbol that is entered:
///
///     main+0x8:
void render(std::ostream& out, trace_reader& trace, const symbol_lookup& symbols,
            const render_window& what = {});

}  // namespace pefsim::power::debug
