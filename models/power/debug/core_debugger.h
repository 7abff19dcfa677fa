// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "power/debug/debug_target.h"
#include "power/engine/core.h"

namespace pefsim::power::debug {

/// The cores of a machine as a target of debuggers. Whoever runs the cores, a SystemC module or a plain loop, asks
/// may_run() before each core::run() and tells ran() after it:
///
///     gdb_server gdb(debugger, connection);
///     while (gdb.serve())                       // returns when something may run
///         for (std::size_t n = 0; n < cores; ++n)
///             if (debugger.may_run(n))
///                 debugger.ran(n, core[n].run(quantum));
///
/// A core that may not run lets time pass. It stands still from the beginning, until it is resumed.
class core_debugger final : public debug_target {
public:
    /// The engine of a core and what surrounds it. They must outlive this.
    void add(core& engine, translator& addresses, real_storage& storage);
    /// The tools of one core: for traces, profiles and coverage. Its stops belong to the debugger.
    monitor& tools(std::size_t core) { return *places_.at(core).tools; }

    [[nodiscard]] bool may_run(std::size_t core) const {
        return !stop_ && places_[core].action != resume_action::stay;
    }
    void ran(std::size_t core, exit_reason why);
    /// `by` executes the user's commands to the target: it is called while no core runs.
    void serve_commands(std::function<std::string(std::size_t core, std::string_view words)> by) {
        commands_ = std::move(by);
    }
    /// Something happened that the user should look at.
    void signal(std::size_t core, int number);
    /// The machine will not run any more.
    void ended(int status);
    [[nodiscard]] bool killed() const { return killed_; }

    [[nodiscard]] std::size_t cores() const override { return places_.size(); }
    [[nodiscard]] std::string describe(std::size_t core) const override;
    registers& state(std::size_t core) override { return places_.at(core).engine->state; }
    power::core& engine(std::size_t core) override { return *places_.at(core).engine; }
    void state_changed(std::size_t core) override { places_.at(core).engine->msr_changed(); }
    std::size_t read(std::size_t core, std::uint64_t ea, std::span<std::byte> to) override;
    std::size_t write(std::size_t core, std::uint64_t ea, std::span<const std::byte> from) override;
    void add_breakpoint(std::uint64_t ea) override;
    void remove_breakpoint(std::uint64_t ea) override;
    void add_watchpoint(const watchpoint& point) override;
    void remove_watchpoint(const watchpoint& point) override;
    void remove_all_points() override;
    void resume(std::span<const resume_action> actions) override;
    void halt() override;
    [[nodiscard]] std::optional<stop_event> stopped() const override { return stop_; }
    void kill() override { killed_ = true; }
    std::optional<std::string> command(std::size_t core, std::string_view words) override {
        return commands_ ? std::optional(commands_(core, words)) : std::nullopt;
    }

private:
    struct place {
        core* engine = nullptr;
        translator* addresses = nullptr;
        real_storage* storage = nullptr;
        std::unique_ptr<monitor> tools;
        resume_action action = resume_action::stay;
    };

    std::vector<place> places_;
    std::function<std::string(std::size_t core, std::string_view words)> commands_;
    std::optional<stop_event> stop_ = stop_event{};
    bool killed_ = false;
};

}  // namespace pefsim::power::debug
