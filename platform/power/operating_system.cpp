// SPDX-License-Identifier: Apache-2.0
#include "platform/power/operating_system.h"

#include <boost/endian/arithmetic.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <string_view>

#include "abi/platform.h"
#include "abi/rtas.h"
#include "platform/about.h"
#include "platform/input_file.h"
#include "platform/power/guest_image.h"
#include "power/registers.h"

namespace pefsim::platform {
namespace {

constexpr std::uint64_t page = abi::page_size;
constexpr std::uint64_t rounded_up(std::uint64_t value) { return (value + page - 1) & ~(page - 1); }

constexpr std::string_view elf_magic("\x7f"
                                     "ELF");

/// Below the end of firmware's page: an Open Firmware client begins with a stack.
constexpr std::uint64_t client_stack = abi::platform::client_entry.value() + 0x7f00;

}  // namespace

void operating_system::declare(parameter_set& parameters) {
    using output::file_use;
    parameters.add(
        "boot", mode, {{"of", boot_mode::of}, {"fdt", boot_mode::fdt}},
        "how firmware starts the kernel: as a client of Open Firmware, or with a flat device tree");
    parameters.add("kernel", kernel, file_use::input, "ELF64 file, or a flat image");
    parameters.add("kernel.address", address, "address", "where it is loaded; otherwise 0x400000");
    parameters.add("initrd", initrd, file_use::input, "initial file system, loaded behind the kernel");
    parameters.add("iommu.dynamic_windows", dynamic_windows,
                   "firmware lets a function have a DMA window besides the default one of 1 GiB");
    parameters.add("ic", interrupts,
                   {{"xics", interrupt::controller_kind::xics}, {"xive", interrupt::controller_kind::xive}},
                   "interrupt controller: XICS, or XIVE, which a client of Open Firmware must ask for");
    parameters.add("append", command_line, "the kernel's command line");
    parameters.add("esm.blob", esm_blob, file_use::input,
                   "ESM blob of the image, for a guest that becomes secure: pefsim-esm makes it");
    parameters.add("esm.key", esm_key, file_use::input,
                   "the machine's private key (PEM), which opens ESM blobs; with it a blob must be there");
    parameters.add("esm.check", esm_policy,
                   {{"strict", ultravisor::esm_policy::strict}, {"warn", ultravisor::esm_policy::warn}},
                   "UV_ESM by an image that is not what its ESM blob says: it fails, or goes on");
}

void operating_system::settle(power_machine_config& machine) {
    require(!kernel.empty(), "kernel: there is nothing to boot; --kernel FILE is needed");
    require(base() % page == 0, fmt::format("kernel.address: {:#x} is not a multiple of 64 KiB", base()));
    settle_kernel(machine.memory_size);
    settle_initrd(machine.memory_size);
    settle_esm(machine);
    machine.xive = interrupts == interrupt::controller_kind::xive;
    machine.firmware = boot_configuration{.command_line = command_line,
                                          .kernel = kernel_at_,
                                          .initrd = initrd_at_,
                                          .esm_blob = esm_blob_at_,
                                          .dynamic_windows = dynamic_windows};
}

void operating_system::settle_kernel(std::uint64_t ram_size) {
    flat_ = content_of(kernel, ram_size);
    if (flat_.starts_with(elf_magic)) {
        program_ = about("kernel", [&] {
            const auto bytes = std::as_bytes(std::span(flat_));
            return std::make_unique<power::elf_image>(std::vector<std::byte>(bytes.begin(), bytes.end()));
        });
        flat_.clear();
        require(program_->wide() && !program_->segments().empty(),
                fmt::format("kernel: {} is no ELF64 program", kernel.string()));
    }
    require(program_ || !flat_.empty(), fmt::format("kernel: {} is empty", kernel.string()));
    kernel_at_ = {.at = base(), .size = program_ ? program_->end() - program_->lowest() : flat_.size()};
    require(kernel_at_.size > 0 && base() < ram_size && kernel_at_.size <= ram_size - base(),
            fmt::format("kernel: {} bytes at {:#x} do not lie in RAM of {} bytes", kernel_at_.size, base(),
                        ram_size));
}

void operating_system::settle_initrd(std::uint64_t ram_size) {
    if (initrd.empty()) {
        return;
    }
    initrd_content_ = content_of(initrd, ram_size);
    const std::uint64_t at = rounded_up(kernel_at_.at + kernel_at_.size);
    require(!initrd_content_.empty(), fmt::format("initrd: {} is empty", initrd.string()));
    require(at < ram_size && initrd_content_.size() <= ram_size - at,
            fmt::format("initrd: {} bytes at {:#x} do not lie in RAM of {} bytes", initrd_content_.size(), at,
                        ram_size));
    initrd_at_ = firmware::extent{.at = at, .size = initrd_content_.size()};
}

void operating_system::settle_esm(power_machine_config& machine) {
    machine.esm.policy = esm_policy;
    if (!esm_key.empty()) {
        constexpr std::uint64_t largest = std::uint64_t{1} << 20;
        const std::string pem = content_of(esm_key, largest);
        machine.esm.key = about("esm.key", [&] {
            return about(esm_key.string(), [&] {
                return std::make_shared<const esm::private_key>(esm::private_key::read(pem));
            });
        });
    }
    if (esm_blob.empty()) {
        return;
    }
    esm_blob_content_ = content_of(esm_blob, machine.memory_size);
    const firmware::extent before = initrd_at_.value_or(kernel_at_);
    const std::uint64_t at = rounded_up(before.at + before.size);
    require(!esm_blob_content_.empty(), fmt::format("esm.blob: {} is empty", esm_blob.string()));
    require(at < machine.memory_size && esm_blob_content_.size() <= machine.memory_size - at,
            fmt::format("esm.blob: {} bytes at {:#x} do not lie in RAM of {} bytes", esm_blob_content_.size(),
                        at, machine.memory_size));
    esm_blob_at_ = firmware::extent{.at = at, .size = esm_blob_content_.size()};
}

std::vector<power::debug::moved_symbols::piece> operating_system::where_it_runs() const {
    constexpr std::uint64_t page_offset = 0xc000'0000'0000'0000;  // CONFIG_PAGE_OFFSET
    const std::uint64_t linked = program_ ? program_->lowest() : page_offset;
    return {{.at = kernel_at_.at, .size = kernel_at_.size, .linked = linked},
            {.at = 0, .size = std::min(kernel_at_.at, kernel_at_.size), .linked = linked}};
}

void operating_system::put_program(power_machine& machine) const {
    memory::guest_ram& ram = machine.memory().ram();
    if (!program_) {
        return put(ram, base(), std::as_bytes(std::span(flat_)));
    }
    for (const power::elf_image::segment& each : program_->segments()) {
        put(ram, base() + (each.address - program_->lowest()), each.content);
    }
}

void operating_system::load(power_machine& machine) const {
    memory::guest_ram& ram = machine.memory().ram();
    put_program(machine);
    if (initrd_at_) {
        put(ram, initrd_at_->at, std::as_bytes(std::span(initrd_content_)));
    }
    if (esm_blob_at_) {
        put(ram, esm_blob_at_->at, std::as_bytes(std::span(esm_blob_content_)));
    }
    enter(machine);
}

void operating_system::enter(power_machine& machine) const {
    using entry = std::array<boost::endian::big_uint32_t, std::tuple_size_v<abi::firmware_entry>>;
    const auto put_code = [&](std::uint64_t at, abi::hcall call) {
        entry code;
        std::ranges::copy(abi::entry_to(static_cast<std::uint16_t>(call)), code.begin());
        put(machine.memory().ram(), at, std::as_bytes(std::span(code)));
    };
    cpu::power_cpu& core = machine.cpu(0);
    power::registers& state = core.state();
    state.nip = program_ ? base() + (program_->entry() - program_->lowest()) : base();
    if (mode == boot_mode::of) {
        const std::uint64_t client = abi::platform::client_entry.value();
        put_code(client, abi::hcall::h_client);
        state.msr = power::msr_me;
        state.gpr[1] = client_stack;
        state.gpr[3] = initrd_at_ ? initrd_at_->at : 0;
        state.gpr[4] = initrd_at_ ? initrd_at_->size : 0;
        state.gpr[5] = client;
    } else {
        const firmware::firmware::flat_tree tree = machine.firmware()->flatten(machine.interrupts());
        put_code(tree.rtas_at, abi::hcall::h_rtas);
        put(machine.memory().ram(), tree.at, tree.content);
        state.msr = power::msr_me | power::msr_sf |
                    (program_ && program_->little_endian() ? power::msr_le : 0);
        state.gpr[3] = tree.at;
        state.gpr[4] = base();
    }
    core.start();
}

}  // namespace pefsim::platform
