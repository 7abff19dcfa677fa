// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "linux_user/address_space.h"
#include "linux_user/clock.h"
#include "linux_user/descriptors.h"
#include "linux_user/paths.h"
#include "linux_user/program_tools.h"
#include "linux_user/signals.h"
#include "power/elf_image.h"
#include "power/engine/core.h"
#include "power/translator/region_translator.h"

namespace pefsim::linux_user {

/// How a program ended: by exit(2), by a signal, or because it waits for what cannot come.
struct end_of_program {
    int status = 0;          ///< exit status; 128 + signal as a shell has it
    int signal = 0;          ///< 0: none
    std::string waits_in{};  ///< the system call that would never return; empty: none
    std::uint64_t nip = 0;   ///< behind it
};

/// What a run did, for the report.
struct run_statistics {
    struct fault {
        int signal = 0;
        int code = 0;
        std::uint64_t address = 0;
        std::uint64_t nip = 0;
    };
    static constexpr std::size_t faults_kept = 64;
    static constexpr std::size_t unknown_kept = 64;

    std::array<std::uint64_t, 512> system_calls{};                ///< by number
    std::map<std::uint64_t, std::uint64_t> unknown_system_calls;  ///< number: times, of the first numbers
    std::uint64_t unknown_system_call_count = 0;
    std::uint64_t fault_count = 0;
    std::vector<fault> faults;  ///< the first of them
    fault last_fault;
    int sent_from_outside = 0;  ///< the last of SIGINT and SIGTERM that the host's user sent

    void note_unknown(std::uint64_t number);
};

/// struct rlimit64.
struct resource_limit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

/// A ppc64le Linux program, its memory, and the core that executes it.
class process {
public:
    struct config {
        std::string program;                   ///< path, as the user wrote it
        std::vector<std::string> arguments;    ///< argv, the program's name first
        std::vector<std::string> environment;  ///< NAME=VALUE
        std::uint64_t stack_size = std::uint64_t{8} << 20;
        std::uint64_t seed = 1;               ///< of getrandom() and AT_RANDOM
        std::uint64_t instruction_limit = 0;  ///< SIGXCPU behind it; 0: none
        /// Host code is made of what is executed often; none: everything is interpreted.
        std::optional<power::region_translator::options> translator{std::in_place};
        address_space::limits memory;
        program_clock::config time;
        std::FILE* system_call_trace = nullptr;  ///< a line for each system call
        bool hears_outside = true;               ///< SIGINT and SIGTERM may come from outside
        std::vector<int> inherited{0, 1, 2};     ///< descriptors that are the program's, ascending
    };

    /// Loads the program as execve(2) does.
    /// \throws std::invalid_argument with what is wrong with it
    process(const config& of, const power::elf_image& image);

    /// They look at the program from now on; before it runs.
    void look_with(program_tools::config tools) { tools_.emplace(std::move(tools), core, memory); }
    /// None without look_with().
    [[nodiscard]] std::optional<program_tools>& tools() { return tools_; }
    /// Runs the program to its end.
    end_of_program run();

    [[nodiscard]] bool ended() const { return end_.has_value(); }
    void end(int status) { end_ = {.status = status & 0xff}; }
    void end_by_signal(int signal) { end_ = {.status = 128 + signal, .signal = signal}; }
    /// SIGINT or SIGTERM, if the host's user has sent one, is the program's.
    void note_signal_from_outside();
    /// Nothing can end the wait of the system call that the program is in.
    void end_waiting();

    /// The registers are to stay as a system call has left them: it has no result.
    void keep_registers() { keep_registers_ = true; }
    /// Lets time pass until the timer of ITIMER_REAL is due. False: it is not running
    bool advance_to_timer();
    [[nodiscard]] const config& settings() const { return config_; }
    [[nodiscard]] const std::string& absolute_program_path() const { return absolute_program_path_; }

    /// The interrupt that the program is in, for signal frames.
    struct trap {
        std::uint64_t vector = 0;
        std::uint64_t gpr3 = 0;
        std::uint64_t dar = 0;
        std::uint64_t dsisr = 0;
    };

    linux_user::descriptors descriptors;
    linux_user::paths paths;
    address_space memory;
    power::core core;
    std::unique_ptr<power::region_translator> translator;  ///< null: everything is interpreted
    program_clock clock;
    linux_user::signals signals;
    std::mt19937_64 random;
    run_statistics statistics;
    trap last_trap;
    std::uint32_t file_mode_mask = 0;
    std::uint64_t load_bias = 0;  ///< how far from where it is linked a position-independent program stands
    std::uint64_t clear_child_tid = 0;
    std::uint64_t current_call = 0;  ///< number of the system call that the program is in
    std::set<std::pair<std::uint64_t, std::uint64_t>> pipes;  ///< that it has made: device and inode
    unsigned fp_exception_mode = 0;
    std::string thread_name;                                          ///< PR_SET_NAME
    std::array<std::optional<resource_limit>, 16> resource_limits{};  ///< that the program has set

private:
    [[nodiscard]] std::int64_t slice() const;
    void note_time();
    void take_interrupt();
    void system_call(bool vectored);
    void fault(int signal, int code, std::uint64_t address);

    const config& config_;
    std::string absolute_program_path_;
    std::uint32_t host_file_mode_mask_ = 0;
    std::optional<end_of_program> end_;
    bool keep_registers_ = false;
    std::optional<program_tools> tools_;
};

}  // namespace pefsim::linux_user
