// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bare_metal/host_look.h"
#include "output/whole_file.h"
#include "platform/parameter_set.h"
#include "platform/power/guest_image.h"
#include "platform/power/power_machine.h"
#include "power/elf_image.h"
#include "power/registers.h"

namespace pefsim::bare_metal {

/// What a user says about the guest: as it is written, and, once settle() has been called, as it is meant.
class guest_options {
public:
    /// \param machine where the traces go, which its CPUs number
    void declare(platform::parameter_set& parameters, const platform::power_machine_config& machine);
    /// Reads the ELF file and everything else that can be read before a machine is there.
    /// \param machine receives what concerns it
    /// \throws std::invalid_argument naming the option, its value, and what is allowed
    void settle(platform::power_machine_config& machine);

    /// Loads the images and sets the registers of the CPUs; starts them.
    /// \throws std::invalid_argument when an image does not lie in RAM, or there is no such register
    void prepare(platform::power_machine& machine) const;

    /// Null: flat images only.
    [[nodiscard]] const power::elf_image* program() const { return program_.get(); }
    [[nodiscard]] bool little_endian() const { return (start_msr() & power::msr_le) != 0; }
    [[nodiscard]] const std::string& console_input() const { return console_input_; }
    [[nodiscard]] const std::optional<std::uint64_t>& gdb_port() const { return gdb_port_; }
    /// Files that are to be written at the end; nullopt: nobody wants them.
    [[nodiscard]] std::optional<output::whole_file>& dump_state() { return dump_file_; }
    [[nodiscard]] std::optional<output::whole_file>& profile() { return profile_file_; }
    [[nodiscard]] const std::filesystem::path& instruction_trace() const { return instruction_trace_; }
    [[nodiscard]] const std::vector<place_to_look>& looks() const { return looks_; }
    [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

private:
    void settle_images();
    void settle_tools(platform::power_tools::config& tools);
    void settle_stops(platform::power_machine_config& machine);
    [[nodiscard]] std::uint64_t start_msr() const;

    // as written
    std::filesystem::path elf_;
    std::vector<std::string> loads_;
    std::optional<std::uint64_t> pc_;
    std::optional<std::uint64_t> msr_;
    std::vector<std::string> set_registers_;
    std::string process_table_;
    std::vector<std::string> stops_;
    std::filesystem::path dump_state_;
    std::uint64_t instruction_limit_ = 0;
    bool report_stores_ = false;
    std::filesystem::path console_file_;
    std::optional<std::uint64_t> gdb_port_;
    std::filesystem::path instruction_trace_;
    std::string trace_numbers_;
    std::string trace_times_;
    std::string trace_addresses_;
    std::filesystem::path profile_;
    std::uint64_t profile_period_ = 9973;
    bool coverage_ = false;
    std::vector<std::string> host_reads_;
    std::vector<std::string> secrets_;

    // as meant
    std::unique_ptr<power::elf_image> program_;
    std::vector<platform::flat_image> images_;
    std::vector<std::pair<std::string, power::vector_register>> registers_;
    std::optional<std::uint64_t> process_table_at_;
    std::string console_input_;
    std::vector<place_to_look> looks_;
    std::optional<output::whole_file> dump_file_;
    std::optional<output::whole_file> profile_file_;
};

}  // namespace pefsim::bare_metal
