// SPDX-License-Identifier: Apache-2.0
#include "tests/power/translator/lock_step.h"

#include <algorithm>
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
    madvise(memory, bytes,
            MADV_NOHUGEPAGE);  // what is touched here and there is to be found again, page by page
    return static_cast<std::byte*>(memory);
}

/// Which pages of the host have been touched.
std::vector<unsigned char> touched(std::span<std::byte> memory, std::size_t host_page) {
    std::vector<unsigned char> resident((memory.size() + host_page - 1) / host_page);
    if (mincore(memory.data(), memory.size(), resident.data()) != 0) {
        std::ranges::fill(resident, static_cast<unsigned char>(1));
    }
    return resident;
}

}  // namespace

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
    madvise(ram_, ram_size, MADV_DONTNEED);
    core_.forget_real(0, ram_size);
    core_.lose_reservation();
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

std::string flat_machine::state() {
    const power::registers& s = core_.state;
    std::string text = fmt::format("instructions {} nip {:x} msr {:x} cr {:08x} cfar {:x}",
                                   core_.instructions(), s.nip, s.msr, std::uint32_t{s.cr}, core_.cfar());
    for (std::size_t n = 0; n < power::general_registers::size(); ++n) {
        text += fmt::format(" r{} {:x}", n, s.gpr[n]);
    }
    for (std::size_t n = 0; n < s.special.size(); ++n) {
        if (s.special[n] != 0) {
            text += fmt::format(" s{} {:x}", n, s.special[n]);
        }
    }
    text += fmt::format(" fpscr {:x} vscr {:x}", s.fpscr, s.vscr);
    for (std::size_t n = 0; n < s.vsr.size(); ++n) {
        if (s.vsr[n].high != 0 || s.vsr[n].low != 0) {
            text += fmt::format(" v{} {:x}:{:x}", n, s.vsr[n].high, s.vsr[n].low);
        }
    }
    return text;
}

std::byte* flat_machine::direct(std::uint64_t real, power::access_kind /*kind*/) {
    return real < ram_size ? ram_ + (real & power::small_page_mask) : nullptr;
}
std::byte* flat_machine::direct_block(std::uint64_t real, power::access_kind /*kind*/) {
    return real < ram_size ? ram_ + (real & power::block_mask) : nullptr;
}
power::real_storage::outcome flat_machine::read(std::uint64_t /*real*/, std::span<std::byte> /*to*/,
                                                power::access_kind /*kind*/) {
    return outcome::machine_check;
}
power::real_storage::outcome flat_machine::write(std::uint64_t /*real*/,
                                                 std::span<const std::byte> /*from*/) {
    return outcome::machine_check;
}
bool flat_machine::read(std::uint64_t /*real*/, std::uint64_t& /*value*/) { return false; }
bool flat_machine::write(std::uint64_t /*real*/, std::uint64_t /*value*/) { return false; }

std::optional<std::uint64_t> first_difference(std::span<std::byte> a, std::span<std::byte> b) {
    const auto host_page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::vector<unsigned char> in_a = touched(a, host_page);
    const std::vector<unsigned char> in_b = touched(b, host_page);
    for (std::size_t page = 0; page < in_a.size(); ++page) {
        if (((in_a[page] | in_b[page]) & 1) == 0) {
            continue;
        }
        const auto of_a = a.subspan(page * host_page, host_page);
        const auto of_b = b.subspan(page * host_page, host_page);
        if (std::memcmp(of_a.data(), of_b.data(), host_page) != 0) {
            const auto [first, other] = std::ranges::mismatch(of_a, of_b);
            return page * host_page + static_cast<std::size_t>(first - of_a.begin());
        }
    }
    return std::nullopt;
}

std::optional<std::string> lock_step(flat_machine& interpreted, flat_machine& translated,
                                     std::int64_t run_length, std::uint64_t most_instructions) {
    bool more = true;
    std::string before;
    while (more && interpreted.core().instructions() < most_instructions) {
        more = interpreted.run(run_length);
        const bool more_too = translated.run(run_length);
        const std::string expected = interpreted.state();
        const std::string found = translated.state();
        if (more != more_too || expected != found) {
            return fmt::format("before: {}\ninterpreted: {}\ntranslated:  {}", before, expected, found);
        }
        before = expected;
    }
    if (const auto where = first_difference(interpreted.ram(), translated.ram())) {
        return fmt::format("memory differs at the end, at {:x}", *where);
    }
    return std::nullopt;
}

}  // namespace pefsim::testing
