// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "power/debug/monitor.h"
#include "power/registers.h"

namespace pefsim::power::debug {

/// What a core is to do when a debugger lets go.
enum class resume_action : std::uint8_t { stay, run, step };

/// Why a target stands still.
struct stop_event {
    enum class reason : std::uint8_t {
        halted,  ///< because the debugger asked for it, or has just come
        breakpoint,
        watchpoint,  ///< before the access to `ea`
        step,
        signal,  ///< something happened that a debugger calls `number`: a trap, a fault ...
        ended,   ///< it will not run any more; its exit status is `number`
    };
    reason why = reason::halted;
    std::size_t core = 0;
    std::uint64_t ea = 0;
    watch_kind watch = watch_kind::write;
    int number = 0;
};

/// Signal numbers as debuggers know them.
namespace debug_signal {
inline constexpr int interrupt = 2;
inline constexpr int illegal = 4;
inline constexpr int trap = 5;
inline constexpr int fpe = 8;
inline constexpr int bus = 7;
inline constexpr int segv = 11;
}  // namespace debug_signal

/// What a Unix debugger would call an interrupt that nobody serves.
int signal_of(const interrupt_cause& cause);

/// A machine of one or more cores, as a debugger sees it: registers, storage by effective address as a core sees it
/// now, points to stop at, and who may run. It is either running, or all of it stands still and stopped() tells why.
class debug_target {
public:
    virtual ~debug_target() = default;

    [[nodiscard]] virtual std::size_t cores() const = 0;
    /// A few words for the user.
    [[nodiscard]] virtual std::string describe(std::size_t core) const = 0;
    virtual registers& state(std::size_t core) = 0;
    /// The core that has them, which tells those that are not kept: a time base, a decrementer.
    virtual power::core& engine(std::size_t core) = 0;
    /// state() was written to.
    virtual void state_changed(std::size_t core) = 0;

    /// RAM, whatever the protection of its page. Both return how many bytes could be accessed, from the first one on.
    /// The guest notices nothing of a read, but for reference bits.
    virtual std::size_t read(std::size_t core, std::uint64_t ea, std::span<std::byte> to) = 0;
    virtual std::size_t write(std::size_t core, std::uint64_t ea, std::span<const std::byte> from) = 0;

    virtual void add_breakpoint(std::uint64_t ea) = 0;
    virtual void remove_breakpoint(std::uint64_t ea) = 0;
    virtual void add_watchpoint(const watchpoint& point) = 0;
    virtual void remove_watchpoint(const watchpoint& point) = 0;
    virtual void remove_all_points() = 0;

    /// \param actions one for each core
    virtual void resume(std::span<const resume_action> actions) = 0;
    /// Stops soon.
    virtual void halt() = 0;
    [[nodiscard]] virtual std::optional<stop_event> stopped() const = 0;
    /// The debugger's user has no further use for it.
    virtual void kill() = 0;
    /// A command of the user's to the target itself ("monitor" in gdb), looked at from `core`.
    /// \returns what it says, lines for people; nullopt: the target has no commands
    virtual std::optional<std::string> command(std::size_t /*core*/, std::string_view /*words*/) {
        return std::nullopt;
    }
};

}  // namespace pefsim::power::debug
