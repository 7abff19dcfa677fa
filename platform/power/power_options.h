// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "output/whole_file.h"
#include "platform/parameter_set.h"
#include "platform/power/covered_lines.h"
#include "platform/power/guest_console.h"
#include "platform/power/host_attack.h"
#include "platform/power/host_look.h"
#include "platform/power/power_machine.h"
#include "platform/power/tool_options.h"
#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::platform {

/// What a user may want of any POWER guest, besides its machine: its devices, where it stops, its console, what the
/// host looks at, secrets, a debugger, instruction traces, a profile, coverage, the state at the end. As it is written,
/// and, once settle() has been called, as it is meant.
class power_options {
public:
    /// \param machine its devices, and the CPUs that number its traces
    void declare(parameter_set& parameters, power_machine_config& machine);
    /// Reads everything that can be read before a machine is there.
    /// \param machine receives what concerns it
    /// \param symbols by which places are named
    /// \throws std::invalid_argument naming the option, its value, and what is allowed
    void settle(power_machine_config& machine, const power::debug::symbol_lookup& symbols);
    /// Those of the file that the user names, or else of the program, which outlives them; null: there is none.
    /// \throws std::invalid_argument when the file cannot be used
    [[nodiscard]] std::unique_ptr<power::debug::symbol_lookup> symbols(const power::elf_image* program) const;
    /// The lines of source that are to be covered; nullopt: nobody wants them.
    /// \param program file in ELF; empty: it is none. Where the user names a file with symbols, that has the lines
    /// \param moved where its code runs besides where it is linked
    /// \throws std::invalid_argument when there are none
    [[nodiscard]] std::optional<covered_lines>
    lines(const std::filesystem::path& program, std::vector<power::debug::moved_symbols::piece> moved) const;

    /// Where the guest's terminal leads to.
    [[nodiscard]] guest_console& console() { return *console_; }
    [[nodiscard]] const std::string& console_input() const { return console_input_; }
    [[nodiscard]] const tool_options& tools() const { return tools_; }
    /// Files that are to be written at the end; nullopt: nobody wants them.
    [[nodiscard]] std::optional<output::whole_file>& dump_state() { return dump_file_; }
    [[nodiscard]] std::optional<output::whole_file>& profile() { return profile_file_; }
    [[nodiscard]] std::optional<output::whole_file>& line_coverage() { return line_coverage_file_; }
    [[nodiscard]] const std::vector<place_to_look>& looks() const { return looks_; }
    [[nodiscard]] const std::vector<host_attack>& attacks() const { return attacks_; }
    [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }
    /// Texts that may reach the host: the report tells where they came out, and who wrote them.
    [[nodiscard]] const std::vector<std::string>& canaries() const { return canaries_; }

private:
    void declare_devices(parameter_set& parameters, power_machine_config& machine);
    void settle_tools(power_tools::config& tools);
    void settle_stops(power_machine_config& machine);
    void settle_translator(power_machine_config& machine, const power::debug::symbol_lookup& symbols) const;

    // as written
    std::vector<std::string> disks_;
    std::vector<std::string> stops_;
    std::filesystem::path dump_state_;
    std::uint64_t instruction_limit_ = 0;
    bool translator_ = true;
    std::uint64_t translator_memory_ = power::region_translator::options{}.code_bytes;
    bool translator_perf_map_ = false;
    bool report_stores_ = false;
    std::filesystem::path symbols_file_;
    std::string console_name_;
    std::filesystem::path console_file_;
    tool_options tools_;
    bool coverage_ = false;
    std::filesystem::path line_coverage_;
    std::vector<std::string> host_reads_;
    std::vector<std::string> host_attacks_;
    std::vector<std::string> secrets_;
    std::vector<std::string> canaries_;
    std::filesystem::path canaries_file_;

    // as meant
    std::unique_ptr<guest_console> console_;
    std::string console_input_;
    std::vector<place_to_look> looks_;
    std::vector<host_attack> attacks_;
    std::optional<output::whole_file> dump_file_;
    std::optional<output::whole_file> profile_file_;
    std::optional<output::whole_file> line_coverage_file_;
};

}  // namespace pefsim::platform
