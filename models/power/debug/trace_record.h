// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// The form of an instruction trace, in memory and in files: a header, and records of 16 bytes in the byte order of the
/// host, which is little-endian. 16 bytes, because memory bandwidth is what a full trace costs; so a record holds what
/// cannot be derived from those before it:
/// * the effective address of an access follows from the registers, which a reader follows by the results; events give
///   it where a reader could not;
/// * instructions are counted from the last `number` event.
namespace pefsim::power::debug {

struct trace_record {
    /// Instruction: its result after it (debug/effect.h). Event: see trace_event.
    std::uint64_t value = 0;
    /// Instruction: the word. Event: see trace_event.
    std::uint32_t word = 0;
    /// Instruction: page << 10 | number of the word in its small page; page, from 1 on, is what a `page` event has
    /// named. Below 1 << 10: an event.
    std::uint32_t place = 0;
};
static_assert(sizeof(trace_record) == 16);

enum class trace_event : std::uint32_t {
    hole,     ///< nothing, to be passed over
    page,     ///< `word` from now on is the page at effective address `value`
    number,   ///< `value` instructions have been completed before the next one
    time,     ///< it is `value` picoseconds
    gpr,      ///< general purpose register `word` is `value`, however it came about
    address,  ///< `value` is the effective address of the next instruction's access
    interrupt,  ///< taken; `value` is SRR0, `word` the vector, with trace_completes if the instruction before is complete
    dar,  ///< `value` is DAR of the interrupt before
    last = dar,
};

inline constexpr std::uint32_t trace_gap = 1;
inline constexpr std::uint32_t trace_completes = 0x8000'0000;
inline constexpr unsigned trace_page_shift = 10;

[[nodiscard]] constexpr bool is_event(const trace_record& r) { return r.place >> trace_page_shift == 0; }

/// What a file begins with.
struct trace_header {
    static constexpr std::uint64_t right_magic = 0x3130'6361'7254'5750;  // "PWTrac01"

    std::uint64_t magic = right_magic;
    std::uint32_t record_size = sizeof(trace_record);
    std::uint32_t core = 0;  ///< number of the core
};
static_assert(sizeof(trace_header) == 16);

}  // namespace pefsim::power::debug
