// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "interrupt/interrupt_controllers.h"
#include "platform/parameter_set.h"
#include "platform/power/power_machine.h"
#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::platform {

/// How a processor comes to its first instruction.
enum class boot_mode : std::uint8_t {
    of,  ///< as a client of Open Firmware: its entry in r5, the initrd in r3 and r4; 32-bit, big-endian, real mode
    fdt,  ///< with a flat device tree in r3, r5 = 0, in the kernel's byte order, 64-bit real mode
    raw,  ///< without firmware: registers as a user gives them
};

/// An operating system that firmware starts: kernel, initrd and command line, as a user names them and, once settle()
/// has been called, as they stand in memory. Linux's Documentation/powerpc/booting.rst; IEEE 1275's binding for
/// PowerPC, 8.2.2.
///
/// The kernel is an ELF file for PowerPC of 64 bits, which stands with its lowest segment at the address of
/// --kernel.address (0x400000), or a flat image, which begins there. The initrd stands behind it, then an ESM blob. One
/// processor starts, the others are stopped until it asks RTAS for them.
class operating_system {
public:
    void declare(parameter_set& parameters);
    /// Reads the files. \throws std::invalid_argument naming the option, its value, and what is allowed
    void settle(power_machine_config& machine);
    /// Puts them into memory and starts processor 0.
    void load(power_machine& machine) const;

    /// Null: a flat image.
    [[nodiscard]] const power::elf_image* program() const { return program_.get(); }
    /// The file of program(); empty: a flat image.
    [[nodiscard]] std::filesystem::path program_file() const {
        return program_ ? kernel : std::filesystem::path();
    }
    /// Where code of the kernel runs besides where it is linked (a flat image: to Linux's 0xc000000000000000): in real
    /// mode where firmware has put it, and below that, at address 0, where Linux copies itself to (head_64.S,
    /// __after_prom_start).
    [[nodiscard]] std::vector<power::debug::moved_symbols::piece> where_it_runs() const;

    // --- as written; a scenario may have its own defaults
    boot_mode mode = boot_mode::of;
    interrupt::controller_kind interrupts = interrupt::controller_kind::xics;
    std::filesystem::path kernel{};
    std::filesystem::path initrd{};
    std::string command_line{};
    std::filesystem::path esm_blob{};
    std::filesystem::path esm_key{};  ///< the machine's
    ultravisor::esm_policy esm_policy = ultravisor::esm_policy::strict;
    bool dynamic_windows = true;
    std::optional<std::uint64_t> address{};  ///< of the kernel

private:
    [[nodiscard]] std::uint64_t base() const { return address.value_or(0x400000); }
    void settle_kernel(std::uint64_t ram_size);
    void settle_initrd(std::uint64_t ram_size);
    void settle_esm(power_machine_config& machine);
    void put_program(power_machine& machine) const;
    void enter(power_machine& machine) const;

    std::unique_ptr<power::elf_image> program_;
    std::string flat_;
    std::string initrd_content_;
    std::string esm_blob_content_;
    firmware::extent kernel_at_;
    std::optional<firmware::extent> initrd_at_;
    std::optional<firmware::extent> esm_blob_at_;
};

}  // namespace pefsim::platform
