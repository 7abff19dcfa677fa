// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "cpu/power_cpu/power_cpu.h"
#include "cpu/power_cpu/run_control.h"
#include "memory/memory_bus.h"
#include "platform/power/stack_words.h"
#include "power/debug/byte_channel.h"
#include "power/debug/core_debugger.h"
#include "power/debug/coverage.h"
#include "power/debug/gdb_server.h"
#include "power/debug/line_coverage.h"
#include "power/debug/monitor.h"
#include "power/debug/profile.h"
#include "power/debug/symbols.h"
#include "power/debug/trace_recorder.h"
#include "power/mmu/partition.h"

namespace pefsim::platform {

/// What looks at the cores of a power_machine: a debugger, stops, instruction traces, a profile, coverage.
///
/// A debugger's user may look at everything while the cores stand still; simulated time stands still then, too. GDB is
/// served between runs of an engine: after each stop, and once a quantum while the guest runs.
class power_tools : private cpu::run_control {
public:
    struct config {
        power::debug::interrupt_kinds stop_before;  ///< end the run before such an interrupt
        /// Where instructions are recorded, for trace_render (tool_options::trace_of()). Empty: not at all.
        std::filesystem::path instruction_trace;
        power::debug::trace_window trace_window;
        /// Of local time, looked at when a run of the engine begins, once a quantum at least: runs that begin there.
        sc_core::sc_time trace_from;
        std::optional<sc_core::sc_time> trace_to;
        std::uint64_t profile_period = 0;  ///< instructions from one sample to the next; 0: no profile
        bool coverage = false;
        bool line_coverage = false;  ///< executions by address are counted
        bool debugger = false;

        [[nodiscard]] bool any() const {
            return stop_before.trap || stop_before.illegal || !instruction_trace.empty() ||
                   profile_period != 0 || coverage || line_coverage || debugger;
        }
    };

    /// \param memory and `partition`, where a profile finds the guest's stacks: they outlive this
    /// \throws std::invalid_argument when a trace cannot be written
    power_tools(const config& parameters, std::span<const std::unique_ptr<cpu::power_cpu>> cores,
                const memory::memory_bus& memory, const power::mmu::partition& partition);
    ~power_tools() override;

    /// GDB drives the cores by `channel` from now on; they stand still until it lets them run. With config::debugger
    /// only.
    void attach(std::unique_ptr<power::debug::byte_channel> channel, power::debug::gdb::byte_order order);

    /// What the debugger's user may ask of the machine.
    void serve_commands(std::function<std::string(std::size_t core, std::string_view words)> by) {
        debugger_.serve_commands(std::move(by));
    }
    /// Records instructions from now on, or no more, whatever the times of the configuration.
    /// \returns false without config::instruction_trace
    bool switch_traces(bool on);

    /// Simulation has ended: tells the debugger the guest's exit status.
    void finish(int status);
    /// The traces take their places. \throws output::write_error when one could not be written in full
    void commit_traces();

    /// The stop that config::stop_before led to.
    struct stop {
        unsigned core = 0;
        std::uint64_t nip = 0;
        std::string_view interrupt;  ///< "trap" or "illegal"
    };
    [[nodiscard]] const std::optional<stop>& stopped() const { return stopped_; }
    /// GDB's user has no further use for the machine.
    [[nodiscard]] bool killed() const { return debugger_.killed(); }
    /// Of all cores together; null without config::coverage.
    [[nodiscard]] const power::debug::coverage* coverage() const { return coverage_.get(); }
    /// Of all cores together; null without config::line_coverage.
    [[nodiscard]] const power::debug::execution_counts* executions() const { return executions_.get(); }
    /// Of all cores together; null without config::profile_period.
    [[nodiscard]] const power::debug::profile* profile() const { return profile_.get(); }

private:
    /// A core, its trace and its stacks.
    struct seat {
        cpu::power_cpu* core = nullptr;
        std::unique_ptr<stack_words> stacks;
        std::unique_ptr<power::debug::trace_recorder> trace;
        bool recording = false;
    };

    permission may_run(cpu::power_cpu& core) override;
    void ran(cpu::power_cpu& core, power::exit_reason why) override;
    void leaves(cpu::power_cpu& core, std::string_view kind, std::string_view name,
                std::uint64_t nip) override;
    void serve_gdb();
    void follow_trace_window(seat& at, power::debug::monitor& tools);

    config parameters_;
    std::vector<seat> seats_;
    std::optional<bool> traces_switched_;
    std::unique_ptr<power::debug::coverage> coverage_;
    std::unique_ptr<power::debug::execution_counts> executions_;
    std::unique_ptr<power::debug::profile> profile_;
    power::debug::core_debugger debugger_;  // its monitors use what stands above
    std::unique_ptr<power::debug::byte_channel> channel_;
    std::unique_ptr<power::debug::gdb_server> gdb_;
    std::optional<stop> stopped_;
};

}  // namespace pefsim::platform
