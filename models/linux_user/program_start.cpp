// SPDX-License-Identifier: Apache-2.0
#include "linux_user/program_start.h"

#include <fmt/format.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "linux_user/linux_abi.h"

namespace pefsim::linux_user {
namespace {

using power::elf_image;
namespace facility_cause = power::facility_cause;

constexpr std::uint64_t position_independent_base = 0x1'0000'0000;
constexpr std::uint64_t gap_below_stack = std::uint64_t{128} << 20;  // for a stack that grows: mmap_base()
constexpr std::uint64_t clock_ticks = 100;
constexpr std::uint64_t cache_line = 128;
constexpr std::uint64_t at_minsigstksz = 51;

void check(const elf_image& image) {
    if (!image.wide()) {
        throw std::invalid_argument("not a 64-bit ELF file");
    }
    if (!image.little_endian()) {
        throw std::invalid_argument("big-endian; user_program runs ppc64le programs");
    }
    if (!image.interpreter().empty()) {
        throw std::invalid_argument(
            fmt::format("dynamically linked (it asks for {}); link it with -static", image.interpreter()));
    }
    if (image.abi() == 1) {
        throw std::invalid_argument("made for version 1 of the ELF ABI; ppc64le programs follow version 2");
    }
}

/// Maps the segments. \returns what is added to their addresses
std::uint64_t load_segments(process& into, const elf_image& image) {
    address_space& memory = into.memory;
    const std::uint64_t page = memory.page_size();
    const std::uint64_t bias = image.relocatable() ? position_independent_base : 0;
    if (image.end() > linux_abi::task_size / 2 || memory.round_up(image.end()) < image.end()) {
        throw std::invalid_argument(
            fmt::format("reaches up to {:#x}, beyond what a program may use", image.end()));
    }
    for (const elf_image::segment& each : image.segments()) {
        const std::uint64_t start = (each.address + bias) & ~(page - 1);
        const std::uint64_t end = memory.round_up(each.address + bias + each.size);
        if (start == 0) {
            throw std::invalid_argument("has a segment at address 0");
        }
        if (!memory.is_free(start, end - start)) {
            throw std::invalid_argument(
                fmt::format("two segments share the page at {:#x}; try --page-size 4KiB", start));
        }
        const unsigned prot = (each.read ? linux_abi::prot_read : 0) |
                              (each.write ? linux_abi::prot_write : 0) |
                              (each.execute ? linux_abi::prot_exec : 0);
        if (memory.map(start, end - start, linux_abi::prot_write, {.name = into.absolute_program_path()}) !=
                0 ||
            !memory.write_bytes(each.address + bias, each.content) ||
            memory.protect(start, end - start, prot) != 0) {
            throw std::invalid_argument(fmt::format(
                "its segment at {:#x} ({} bytes) does not fit into memory", each.address, each.size));
        }
    }
    memory.begin_heap(memory.round_up(image.end() + bias));
    return bias;
}

/// The code that a signal handler returns to: what libgcc's unwinder knows a signal frame by.
std::uint64_t map_trampoline(address_space& memory) {
    constexpr std::array<std::uint32_t, 3> code{
        0x38210000 + static_cast<std::uint32_t>(linux_abi::signal_frame_gap),  // addi r1, r1, 128
        0x380000ac,                                                            // li r0, rt_sigreturn
        0x44000002,                                                            // sc
    };
    const std::uint64_t page = memory.page_size();
    const std::uint64_t at = memory.find_free(page).value();
    if (memory.map(at, page, linux_abi::prot_write, {.name = "[sigpage]"}) != 0 || !memory.put(at, code) ||
        memory.protect(at, page, linux_abi::prot_read | linux_abi::prot_exec) != 0) {
        throw std::invalid_argument("no memory for the program");
    }
    return at;
}

/// What is pushed on a new stack, from the top down.
class stack_builder {
public:
    stack_builder(address_space& memory, std::uint64_t top) : memory_(memory), sp_(top) {}

    std::uint64_t push(std::span<const std::byte> bytes) {
        sp_ -= bytes.size();
        if (!memory_.write_bytes(sp_, bytes)) {
            throw std::invalid_argument("arguments and environment do not fit on the stack");
        }
        return sp_;
    }
    std::uint64_t push(const std::string& text) {
        return push(std::as_bytes(std::span(text.c_str(), text.size() + 1)));
    }
    void align(std::uint64_t to) { sp_ &= ~(to - 1); }

private:
    address_space& memory_;
    std::uint64_t sp_;
};

/// Builds the stack. \returns the stack pointer: where argc stands
std::uint64_t fill_stack(process& of, const elf_image& image, std::uint64_t bias, std::uint64_t top) {
    const process::config& settings = of.settings();
    stack_builder stack(of.memory, top - sizeof(std::uint64_t));
    const std::uint64_t path = stack.push(settings.program);
    std::vector<std::uint64_t> words{settings.arguments.size()};
    std::vector<std::uint64_t> environment;
    std::vector<std::uint64_t> arguments;
    for (auto each = settings.environment.rbegin(); each != settings.environment.rend(); ++each) {
        environment.push_back(stack.push(*each));
    }
    for (auto each = settings.arguments.rbegin(); each != settings.arguments.rend(); ++each) {
        arguments.push_back(stack.push(*each));
    }
    const std::uint64_t platform = stack.push("power9");
    const std::array<std::uint64_t, 2> random{of.random(), of.random()};
    const std::uint64_t random_bytes = stack.push(std::as_bytes(std::span(random)));
    stack.align(16);

    words.insert(words.end(), arguments.rbegin(), arguments.rend());
    words.push_back(0);
    words.insert(words.end(), environment.rbegin(), environment.rend());
    words.push_back(0);
    const std::pair<std::uint64_t, std::uint64_t> auxiliary[] = {
        {linux_abi::at_ignoreppc, linux_abi::at_ignoreppc},
        {linux_abi::at_dcachebsize, cache_line},
        {linux_abi::at_icachebsize, cache_line},
        {linux_abi::at_ucachebsize, 0},
        {at_minsigstksz, sizeof(linux_abi::rt_sigframe) + linux_abi::signal_frame_gap},
        {AT_HWCAP, linux_abi::hwcap::power9},
        {AT_PAGESZ, of.memory.page_size()},
        {AT_CLKTCK, clock_ticks},
        {AT_PHDR, image.program_headers() ? *image.program_headers() + bias : 0},
        {AT_PHENT, elf_image::program_header_size},
        {AT_PHNUM, image.program_headers() ? image.program_header_count() : 0},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, image.entry() + bias},
        {AT_UID, ::getuid()},
        {AT_EUID, ::geteuid()},
        {AT_GID, ::getgid()},
        {AT_EGID, ::getegid()},
        {AT_SECURE, 0},
        {AT_RANDOM, random_bytes},
        {AT_HWCAP2, linux_abi::hwcap2::power9},
        {AT_EXECFN, path},
        {AT_PLATFORM, platform},
        {AT_BASE_PLATFORM, platform},
        {AT_NULL, 0},
    };
    for (const auto& [type, value] : auxiliary) {
        words.push_back(type);
        words.push_back(value);
    }
    if (words.size() % 2 != 0) {
        stack.push(std::string(7, '\0'));  // the stack pointer is a multiple of 16
    }
    return stack.push(std::as_bytes(std::span(words)));
}

}  // namespace

void start_program(process& into, const elf_image& image) {
    check(image);
    address_space& memory = into.memory;
    const std::uint64_t bias = load_segments(into, image);
    into.load_bias = bias;
    const std::uint64_t stack_size = memory.round_up(into.settings().stack_size);
    const std::uint64_t top = linux_abi::task_size;
    if (stack_size == 0 || stack_size > top / 4) {
        throw std::invalid_argument(fmt::format("a stack of {} bytes cannot be", stack_size));
    }
    const unsigned prot = linux_abi::prot_read | linux_abi::prot_write |
                          (image.executable_stack() ? linux_abi::prot_exec : 0);
    if (memory.map(top - stack_size, stack_size, prot, {.name = "[stack]"}) != 0) {
        throw std::invalid_argument("no memory for the stack");
    }
    memory.set_mapping_top(top - std::max(stack_size, gap_below_stack) - memory.page_size());
    into.signals.trampoline = map_trampoline(memory);

    power::registers& state = into.core.state;
    state.msr = linux_abi::msr_user;
    for (const std::uint8_t each :
         {facility_cause::dscr, facility_cause::ebb, facility_cause::tar, facility_cause::scv}) {
        state[power::spr::fscr] |= std::uint64_t{1} << each;
    }
    state.gpr[1] = fill_stack(into, image, bias, top);
    state.nip = image.entry() + bias;
    state.gpr[12] = state.nip;
    into.core.msr_changed();
}

}  // namespace pefsim::linux_user
