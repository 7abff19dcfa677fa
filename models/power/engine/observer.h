// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "power/engine/environment.h"
#include "power/engine/interrupt.h"
#include "power/engine/op.h"

namespace pefsim::power {

enum class exit_reason : std::uint8_t;

/// What an observer finds beside the op of an instruction. The engine fills in `execute` and `word`; the rest is the
/// observer's, for what its shim needs at once.
struct observed_op {
    static constexpr std::uint16_t no_row = 0xffff;

    handler execute = nullptr;   ///< the instruction's own handler
    std::uint32_t word = 0;      ///< the instruction
    std::uint32_t place = 0;     ///< a number that the observer gives it
    std::uint16_t row = no_row;  ///< its row in the instruction table
    std::uint16_t result = 0;    ///< offset in `registers` of the 8 bytes that it changes
    std::uint8_t base = 0;       ///< GPRs that are parts of its effective address
    std::uint8_t index = 0;
    std::int32_t displacement = 0;  ///< another part
};
static_assert(sizeof(observed_op) == 32);

/// Looks at what a core executes (core::observe()). Nothing of it costs anything while no observer is there: small
/// pages of code that one wants to see are decoded a second time, with a shim of the observer in place of each handler.
/// A shim is a handler that looks, and then either goes on with core::proceed() or leaves with core::leave_before(). A
/// run ends where it would end unobserved, unless a shim leaves it or before_run() shortens it, for a user's stops and
/// steps.
///
/// A run consists of stretches, between which the observer may change what it sees. Nothing happens there that the
/// program could notice: no interrupt is taken, and no time passes.
///
/// After it changed what it wants, an observer calls core::observe() again, outside run() or in before_stretch().
class observer {
public:
    virtual ~observer() = default;

    /// At the beginning of run(instructions). \returns how many to run at most; less leads to exit_reason::paused
    virtual std::int64_t before_run(core& c, std::int64_t instructions) = 0;
    /// At the beginning of a stretch of a run. \returns for how many instructions it is enough: the stretch ends with
    /// the run, or at the next taken branch or end of a small page behind them
    virtual std::int64_t before_stretch(core& /*c*/) { return std::numeric_limits<std::int64_t>::max(); }
    /// At its end.
    virtual void after_stretch(core& /*c*/) {}
    /// At the end of a run. \returns what run() returns
    virtual exit_reason after_run(core& c, exit_reason why) = 0;

    /// Whether instructions of the small page of effective addresses at `ea` are to be seen.
    virtual bool sees_code(std::uint64_t ea) = 0;
    /// An instruction of such a small page has been decoded. \returns the shim, or null if it need not be seen
    /// \param ea where it stands
    virtual handler shim_of(observed_op& decoded, std::uint64_t ea) = 0;

    /// Whether loads and stores in the small page of effective addresses at `ea` are to be seen: they become slow.
    virtual bool sees_data(std::uint64_t ea) = 0;
    /// Before an access in such a small page. False: run() is left before the instruction, with exit_reason::observed.
    virtual bool access(core& c, const op* o, std::uint64_t ea, std::size_t size, access_kind kind) = 0;

    /// Before an interrupt is delivered, or leaves run(). \param nip what SRR0 is to receive
    virtual void interrupted(core& c, std::uint64_t nip, const interrupt_cause& cause) = 0;
};

/// Events off the hot path, since the core was made.
struct engine_counters {
    std::uint64_t fetch_misses = 0;  ///< of the fetch TLB
    std::uint64_t slow_loads =
        0;  ///< loads that miss the TLB, cross small pages, are big-endian, or reach no RAM
    std::uint64_t slow_stores = 0;  ///< stores likewise, and those into small pages that hold code
    std::uint64_t code_stores = 0;  ///< stores into small pages that hold code
    std::uint64_t decoded = 0;      ///< instructions decoded
    std::uint64_t flushes = 0;      ///< of all translations
    std::uint64_t interrupts = 0;   ///< delivered, or left to the environment
};

}  // namespace pefsim::power
