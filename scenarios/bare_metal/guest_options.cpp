// SPDX-License-Identifier: Apache-2.0
#include "bare_metal/guest_options.h"

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <stdexcept>
#include <string_view>

#include "platform/about.h"
#include "platform/power/host_look.h"
#include "platform/quantity.h"
#include "power/debug/elf_symbols.h"
#include "power/debug/register_file.h"
#include "power/engine/interrupt.h"

namespace pefsim::bare_metal {
namespace {

using platform::about;
using platform::parse_integer;

constexpr std::uint64_t process_table_size = 4096;

/// A number of up to 128 bits: hexadecimal when it has more than 64.
power::vector_register parse_register_value(std::string_view text) {
    constexpr std::size_t digits_of_a_doubleword = 16;
    const bool wide = (text.starts_with("0x") || text.starts_with("0X")) &&
                      text.size() > 2 + digits_of_a_doubleword &&
                      text.size() <= 2 + 2 * digits_of_a_doubleword;
    if (!wide) {
        return {.low = parse_integer(text), .high = 0};
    }
    const std::size_t split = text.size() - digits_of_a_doubleword;
    return {.low = parse_integer(fmt::format("0x{}", text.substr(split))),
            .high = parse_integer(text.substr(0, split))};
}

std::pair<std::string, power::vector_register> parse_register(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        throw std::invalid_argument(fmt::format("'{}' is not NAME=VALUE", text));
    }
    return {std::string(text.substr(0, equals)), parse_register_value(text.substr(equals + 1))};
}

}  // namespace

void guest_options::declare(platform::parameter_set& parameters) {
    using output::file_use;
    parameters.add("elf", elf_, file_use::input,
                   "program: ELF32 or ELF64 for PowerPC, either byte order, loaded at p_paddr");
    parameters.add("load", loads_, "FILE@ADDRESS", "a file that is loaded as it is; may be repeated");
    parameters.add_files("load", file_use::input, [this] {
        std::vector<std::filesystem::path> files;
        for (const std::string& each : loads_) {
            files.emplace_back(each.substr(0, each.rfind('@')));
        }
        return files;
    });
    parameters.add("pc", pc_, "address", "first instruction; otherwise the ELF file's entry");
    parameters.add("msr", msr_, "number",
                   "MSR at the start; otherwise ME, SF but for ELF32, LE but for a big-endian ELF file. "
                   "LPCR[ILE] follows "
                   "LE");
    parameters.add(
        "set-register", set_registers_, "NAME=VALUE",
        "r0..r31, f0..f31, v0..v31, vs0..vs63, cr, fpscr, vscr, or a special purpose register by name; "
        "may be repeated");
    parameters.add("process-table", process_table_,
                   "address or symbol of 4 KiB: the partition's process table, for radix translation");
}

void guest_options::settle() {
    settle_images();
    for (const std::string& each : set_registers_) {
        registers_.push_back(about("set-register", [&] { return parse_register(each); }));
    }
    if (!process_table_.empty()) {
        process_table_at_ = about("process-table", [&] {
            return platform::place_to_look::parse(process_table_, *power::debug::symbols_of(program()))
                .address;
        });
        platform::require(*process_table_at_ % process_table_size == 0,
                          fmt::format("process-table: {:#x} is not a multiple of 4 KiB", *process_table_at_));
    }
}

void guest_options::settle_images() {
    platform::require(!elf_.empty() || !loads_.empty(),
                      "elf: there is nothing to execute; --elf FILE or --load FILE@ADDRESS is needed");
    if (!elf_.empty()) {
        program_ = about(
            "elf", [&] { return std::make_unique<power::elf_image>(power::elf_image::read(elf_.string())); });
    }
    for (const std::string& each : loads_) {
        images_.push_back(about("load", [&] { return platform::flat_image::parse(each); }));
    }
    platform::require(pc_ || program_, "pc: flat images have no entry; --pc ADDRESS is needed");
}

std::uint64_t guest_options::start_msr() const {
    if (msr_) {
        return *msr_;
    }
    return power::msr_me | (program_ && !program_->wide() ? 0 : power::msr_sf) |
           (!program_ || program_->little_endian() ? power::msr_le : 0);
}

void guest_options::prepare(platform::power_machine& machine) const {
    if (program_) {
        about("elf", [&] { platform::load(machine.memory().ram(), *program_); });
    }
    for (const platform::flat_image& each : images_) {
        about("load", [&] { platform::load(machine.memory().ram(), each); });
    }
    if (process_table_at_) {
        machine.partition().use(
            {.base = *process_table_at_, .size_exponent = std::bit_width(process_table_size) - 1U});
    }
    const platform::entry_point entry = program_ ? platform::entry_of(*program_) : platform::entry_point{};
    for (std::size_t n = 0; n < machine.cpus(); ++n) {
        cpu::power_cpu& core = machine.cpu(n);
        core.state().msr = start_msr();
        core.state().nip = pc_.value_or(entry.address);
        core.state().gpr[2] = entry.toc.value_or(0);
        if (little_endian()) {
            core.set_lpcr(power::lpcr::ile, power::lpcr::ile);
        }
        for (const auto& [name, value] : registers_) {
            about("set-register", [&, &which = name, &what = value] {
                power::debug::write_register(core.engine(), which, what);
            });
        }
        if (machine.uv() == nullptr && (core.state().msr & power::msr_s) != 0) {
            throw std::invalid_argument(fmt::format(
                "msr: {:#x} has the bit S, which needs an Ultravisor (ultravisor=yes)", core.state().msr));
        }
        core.start();
    }
}

}  // namespace pefsim::bare_metal
