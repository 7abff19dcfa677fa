// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/parameter_set.h"
#include "platform/power/guest_image.h"
#include "platform/power/power_machine.h"
#include "power/elf_image.h"
#include "power/registers.h"

namespace pefsim::bare_metal {

/// What stands in the guest's memory, and what its CPUs begin with: as a user writes it, and, once settle() has been
/// called, as it is meant.
class guest_options {
public:
    void declare(platform::parameter_set& parameters);
    /// Reads the ELF file and everything else that can be read before a machine is there.
    /// \throws std::invalid_argument naming the option, its value, and what is allowed
    void settle();

    /// Loads the images and sets the registers of the CPUs; starts them.
    /// \throws std::invalid_argument when an image does not lie in RAM, or there is no such register
    void prepare(platform::power_machine& machine) const;

    /// Null: flat images only.
    [[nodiscard]] const power::elf_image* program() const { return program_.get(); }
    [[nodiscard]] const std::filesystem::path& program_file() const { return elf_; }
    [[nodiscard]] bool little_endian() const { return (start_msr() & power::msr_le) != 0; }

private:
    void settle_images();
    [[nodiscard]] std::uint64_t start_msr() const;

    // as written
    std::filesystem::path elf_;
    std::vector<std::string> loads_;
    std::optional<std::uint64_t> pc_;
    std::optional<std::uint64_t> msr_;
    std::vector<std::string> set_registers_;
    std::string process_table_;

    // as meant
    std::unique_ptr<power::elf_image> program_;
    std::vector<platform::flat_image> images_;
    std::vector<std::pair<std::string, power::vector_register>> registers_;
    std::optional<std::uint64_t> process_table_at_;
};

}  // namespace pefsim::bare_metal
