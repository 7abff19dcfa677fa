// SPDX-License-Identifier: Apache-2.0
#include "tests/power/translator/lock_step.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

#include "power/instructions/power9_decoder.h"

namespace pefsim::testing {
namespace {

constexpr std::uint64_t h_rtas = 0xf000;  // of kernels/bare.c: switches off, whatever is asked for

std::byte* reserve(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    return static_cast<std::byte*>(memory);
}

/// Of pieces of the host's page size: which of them may have been touched.
std::vector<bool> touched(std::span<std::byte> memory, std::size_t host_page) {
    std::byte* const first_page = memory.data() - std::bit_cast<std::uintptr_t>(memory.data()) % host_page;
    const auto pages_in = [host_page](std::size_t bytes) { return (bytes + host_page - 1) / host_page; };
    const std::size_t pages = pages_in(static_cast<std::size_t>(memory.data() + memory.size() - first_page));
    std::vector<unsigned char> resident(pages);
    const bool known = mincore(first_page, pages * host_page, resident.data()) == 0;
    std::vector<bool> result(pages_in(memory.size()));
    for (std::size_t piece = 0; piece < result.size(); ++piece) {  // it has a part of one page, or of two
        const auto last = std::min(piece + 1, pages - 1);
        result[piece] = !known || ((resident[piece] | resident[last]) & 1) != 0;
    }
    return result;
}

void add_difference(std::string& text, std::string_view name, std::uint64_t expected, std::uint64_t found) {
    if (expected != found) {
        text += fmt::format(" {} {:x}, not {:x};", name, found, expected);
    }
}

/// Of registers; all that differ.
std::string differences(const power::registers& expected, const power::registers& found) {
    std::string text;
    add_difference(text, "nip", expected.nip, found.nip);
    add_difference(text, "msr", expected.msr, found.msr);
    add_difference(text, "cr", std::uint32_t{expected.cr}, std::uint32_t{found.cr});
    add_difference(text, "fpscr", expected.fpscr, found.fpscr);
    add_difference(text, "vscr", expected.vscr, found.vscr);
    for (std::size_t n = 0; n < power::general_registers::size(); ++n) {
        add_difference(text, fmt::format("r{}", n), expected.gpr[n], found.gpr[n]);
    }
    add_difference(text, "zero", expected.gpr[power::general_registers::zero],
                   found.gpr[power::general_registers::zero]);
    for (std::size_t n = 0; n < expected.special.size(); ++n) {
        const auto which = static_cast<power::spr>(n);
        const std::string name = which == power::spr::lr     ? "lr"
                                 : which == power::spr::ctr  ? "ctr"
                                 : which == power::spr::xer  ? "xer"
                                 : which == power::spr::cfar ? "cfar"
                                                             : fmt::format("special {}", n);
        add_difference(text, name, expected.special[n], found.special[n]);
    }
    for (std::size_t n = 0; n < expected.vsr.size(); ++n) {
        add_difference(text, fmt::format("high of vsr{}", n), expected.vsr[n].high, found.vsr[n].high);
        add_difference(text, fmt::format("low of vsr{}", n), expected.vsr[n].low, found.vsr[n].low);
    }
    return text;
}

bool equal(const power::registers& a, const power::registers& b) {
    return a.nip == b.nip && a.msr == b.msr && a.cr.field == b.cr.field && a.gpr == b.gpr &&
           a.special == b.special && a.fpscr == b.fpscr && a.vscr == b.vscr && a.vsr == b.vsr;
}

}  // namespace

std::optional<std::string> difference(power::core& expected, power::core& found) {
    const bool same_cfar = expected.cfar() == found.cfar();  // which brings it into state
    const bool same_count = expected.instructions() == found.instructions();
    const bool same_interrupts = expected.interrupted_at().nip == found.interrupted_at().nip &&
                                 expected.interrupts_taken() == found.interrupts_taken();
    if (same_cfar && same_count && same_interrupts && equal(expected.state, found.state)) [[likely]] {
        return std::nullopt;
    }
    std::string text = fmt::format(" at {:x}:", expected.state.nip);
    add_difference(text, "instructions", expected.instructions(), found.instructions());
    add_difference(text, "interrupted at", expected.interrupted_at().nip, found.interrupted_at().nip);
    for (std::size_t n = 0; n < power::vectors.size(); ++n) {
        add_difference(text, fmt::format("{} interrupts", power::vectors[n].name),
                       expected.interrupts_taken()[n], found.interrupts_taken()[n]);
    }
    return text + differences(expected.state, found.state);
}

flat_machine::flat_machine(const std::optional<power::region_translator::options>& how)
    : ram_(reserve(ram_size)),
      core_(power::isa::power9_decoder(), mmu_, *this) {
    core_.state.msr = power::msr_sf | power::msr_le | power::msr_ri | power::msr_me | power::msr_hv;
    core_.state[power::spr::lpcr] = power::lpcr::hr | power::lpcr::ld | power::lpcr::gtse | power::lpcr::ile;
    core_.msr_changed();
    translate(how);
}

flat_machine::~flat_machine() {
    translator_.reset();
    munmap(ram_, ram_size);
}

void flat_machine::translate(const std::optional<power::region_translator::options>& how) {
    translator_.reset();
    if (how) {
        translator_ = std::make_unique<power::region_translator>(core_, *how);
    }
}

void flat_machine::clear() {
    // A page that is given back costs more, when it is touched again, than to clear it: a few stay.
    constexpr std::size_t near = std::size_t{16} << 20;
    constexpr std::ptrdiff_t few = 100;
    const auto host_page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::vector<bool> pages = touched(ram().first(near), host_page);
    const bool keep = std::ranges::count(pages, true) <= few;
    for (std::size_t page = 0; keep && page < pages.size(); ++page) {
        if (pages[page]) {
            std::memset(ram_ + page * host_page, 0, host_page);
        }
    }
    const std::size_t from = keep ? near : 0;
    madvise(ram_ + from, ram_size - from, MADV_DONTNEED);
    core_.forget_real(0, ram_size);
    core_.lose_reservation();
    positions_.clear();
    noticed_ = nowhere;
}

void flat_machine::load(const power::elf_image& image) {
    for (const auto& segment : image.segments()) {
        if (segment.physical + segment.size > ram_size) {
            throw std::invalid_argument("the program does not fit into RAM");
        }
        std::ranges::copy(segment.content, ram_ + segment.physical);
    }
    core_.state.nip = image.entry();
}

void flat_machine::put(std::uint64_t real, std::span<const std::uint32_t> words) {
    std::memcpy(ram_ + real, words.data(), words.size_bytes());
    core_.forget_real(real, words.size_bytes());
}

bool flat_machine::run(std::int64_t most) {
    switch (core_.run(most)) {
    case power::exit_reason::paused:
        return true;
    case power::exit_reason::hypercall:
        if (core_.state.gpr[3] == h_rtas) {
            return false;
        }
        core_.state.gpr[3] = 0;
        return true;
    default:
        return false;
    }
}

std::byte* flat_machine::direct(std::uint64_t real, power::access_kind /*kind*/) {
    return real < ram_size ? ram_ + (real & power::small_page_mask) : nullptr;
}
std::byte* flat_machine::direct_block(std::uint64_t real, power::access_kind /*kind*/) {
    if ((real & power::block_mask) == (noticed_ & power::block_mask)) {
        return nullptr;  // what is noticed is noticed by small page
    }
    return real < ram_size ? ram_ + (real & power::block_mask) : nullptr;
}
/// What the device says depends on when it is asked. Now and then it wants the run to end.
power::real_storage::outcome flat_machine::read(std::uint64_t real, std::span<std::byte> to,
                                                power::access_kind /*kind*/) {
    if ((real & power::small_page_mask) != device) {
        return outcome::machine_check;
    }
    remember_position(real, to.size());
    for (std::size_t n = 0; n < to.size(); ++n) {
        to[n] = static_cast<std::byte>((real + n) * 0x9d + core_.instructions());
    }
    return outcome::done;
}
power::real_storage::outcome flat_machine::write(std::uint64_t real, std::span<const std::byte> from) {
    if ((real & power::small_page_mask) != device) {
        return outcome::machine_check;
    }
    remember_position(real, from.size());
    return outcome::done;
}
void flat_machine::stored(const std::byte* to, std::size_t size) {
    remember_position(static_cast<std::uint64_t>(to - ram_), size);
}
void flat_machine::remember_position(std::uint64_t at, std::size_t size) {
    positions_.push_back({core_.state.nip, core_.instructions(), at, size});
    constexpr std::size_t seldom = 8;
    if (positions_.size() % seldom == 0) {
        core_.pause();
    }
}
bool flat_machine::read(std::uint64_t /*real*/, std::uint64_t& /*value*/) { return false; }
bool flat_machine::write(std::uint64_t /*real*/, std::uint64_t /*value*/) { return false; }

std::optional<std::uint64_t> first_difference(std::span<std::byte> a, std::span<std::byte> b) {
    const auto host_page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::vector<bool> in_a = touched(a, host_page);
    const std::vector<bool> in_b = touched(b, host_page);
    for (std::size_t page = 0; page < in_a.size(); ++page) {
        if (!in_a[page] && !in_b[page]) {
            continue;
        }
        const auto piece_of = [&](std::span<std::byte> all) {
            return all.subspan(page * host_page, std::min(host_page, all.size() - page * host_page));
        };
        const auto of_a = piece_of(a);
        const auto of_b = piece_of(b);
        if (std::memcmp(of_a.data(), of_b.data(), of_a.size()) != 0) {
            const auto [first, other] = std::ranges::mismatch(of_a, of_b);
            return page * host_page + static_cast<std::size_t>(first - of_a.begin());
        }
    }
    return std::nullopt;
}

std::optional<std::string> lock_step(flat_machine& interpreted, flat_machine& translated,
                                     std::int64_t run_length, std::uint64_t most_instructions) {
    bool more = true;
    while (more && interpreted.core().instructions() < most_instructions) {
        const std::uint64_t from = interpreted.core().state.nip;
        more = interpreted.run(run_length);
        const bool more_too = translated.run(run_length);
        const auto found = difference(interpreted.core(), translated.core());
        if (more != more_too || found) {
            return fmt::format("in the run from {:x},{}", from,
                               found.value_or(" one has ended, the other has not"));
        }
    }
    if (const auto where = first_difference(interpreted.ram(), translated.ram())) {
        return fmt::format("memory differs at the end, at {:x}", *where);
    }
    return std::nullopt;
}

}  // namespace pefsim::testing
