// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "linux_user/address_space.h"
#include "power/debug/byte_channel.h"
#include "power/debug/call_chain.h"
#include "power/debug/core_debugger.h"
#include "power/debug/gdb_server.h"
#include "power/debug/monitor.h"
#include "power/debug/profile.h"
#include "power/debug/trace_recorder.h"
#include "power/engine/core.h"

namespace pefsim::linux_user {

/// What looks at a program's core: a debugger, an instruction trace, a profile. The program notices nothing of them;
/// only a debugger's stops end a run of the core elsewhere.
///
/// GDB stops where its user wants it to, and where the program gets a signal for a fault, before that is delivered.
class program_tools {
public:
    /// All that they use of the host; a program's own descriptors are below.
    struct config {
        std::unique_ptr<power::debug::trace_recorder> trace{};  ///< null: instructions are not recorded
        power::debug::trace_window window{};
        std::uint64_t trace_from = 0;  ///< ns of simulated time, looked at when a run of the core begins
        std::uint64_t trace_to = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t profile_period = 0;                        ///< instructions; 0: no profile
        std::unique_ptr<power::debug::byte_channel> debugger{};  ///< GDB's connection; null: none
        [[nodiscard]] bool any() const { return trace || profile_period != 0 || debugger; }
    };

    /// \param core executes in `memory`; both outlive this
    program_tools(config parameters, power::core& core, address_space& memory);

    /// Before a run of the core: serves GDB while the program stands still. \param ns simulated time
    /// \returns false when GDB's user has no further use for the program
    bool may_run(std::uint64_t ns);
    void ran(power::exit_reason why);
    /// The program gets a signal for a fault at NIP. \returns as may_run()
    bool faulted(int signal);
    /// It makes a system call, by the instruction at `nip`.
    void called(std::string_view name, std::uint64_t nip);
    /// It has ended. \param status as a shell has it
    void finish(int status);
    /// The trace takes its place. \throws output::write_error when it could not be written in full
    void commit_trace();

    /// Null without config::profile_period.
    [[nodiscard]] const power::debug::profile* profile() const { return profile_.get(); }

private:
    /// The program's stacks, for a profile.
    class stack_words final : public power::debug::stack_storage {
    public:
        explicit stack_words(const address_space& memory) : memory_(memory) {}
        [[nodiscard]] std::optional<std::uint64_t> doubleword(std::uint64_t ea, std::uint64_t msr) override;

    private:
        const address_space& memory_;
    };

    bool serve_gdb();

    config parameters_;
    stack_words stacks_;
    bool recording_ = false;
    std::unique_ptr<power::debug::profile> profile_;
    power::debug::core_debugger debugger_;  // its monitor uses what stands above
    std::unique_ptr<power::debug::gdb_server> gdb_;
};

}  // namespace pefsim::linux_user
