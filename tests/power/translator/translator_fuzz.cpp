// SPDX-License-Identifier: Apache-2.0
#include "tests/power/translator/translator_fuzz.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <utility>
#include <vector>

#include "power/debug/disassembler.h"

namespace pefsim::testing {
namespace {

constexpr std::uint32_t no_operation = 0x6000'0000;

/// What data are at first: the same for all programs.
const std::vector<std::byte>& first_data() {
    static const std::vector<std::byte> made = [] {
        std::vector<std::byte> bytes(8 * power::small_page);
        dice random(1);
        for (std::byte& each : bytes) {
            each = static_cast<std::byte>(random.next());
        }
        return bytes;
    }();
    return made;
}

void put(flat_machine& machine, const random_program::piece& code, bool little_endian) {
    std::vector<std::uint32_t> words = code.words;
    if (!little_endian) {
        std::ranges::transform(words, words.begin(),
                               [](std::uint32_t word) { return __builtin_bswap32(word); });
    }
    machine.put(code.real, words);
}

/// What others have seen of the programs, which differs.
std::string elsewhere(const std::vector<flat_machine::position>& expected,
                      const std::vector<flat_machine::position>& found) {
    const auto text = [](const auto& list, auto at) {
        return at == list.end() ? "nothing"
                                : fmt::format("{} bytes at {:x} from {:x} after {} instructions", at->size,
                                              at->at, at->nip, at->instructions);
    };
    const auto [at_expected, at_found] = std::ranges::mismatch(expected, found);
    return fmt::format(" others have seen {}, not {}", text(found, at_found), text(expected, at_expected));
}

}  // namespace

std::string fuzz_setting::text() const {
    return fmt::format("runs of {}, interval {}, {} bytes of code{}{}", run_length, how.interval,
                       how.code_bytes, asks_each_run ? ", asks each run" : "",
                       disturbs ? ", disturbed" : "") +
           (watches ? ", watched" : "");
}

std::array<fuzz_setting, 4> settings_of(std::uint64_t number) {
    constexpr std::array<std::int64_t, 4> lengths{1, 37, 1000, 40000};
    constexpr std::array<std::int64_t, 3> intervals{1, 7, 100};
    std::array<fuzz_setting, 4> result;
    for (std::size_t n = 0; n < result.size(); ++n) {
        fuzz_setting& each = result[n];
        each.run_length = lengths[n];
        each.how.threshold = 0;
        each.how.interval = intervals[(number + n) % intervals.size()];
        // So little that it is filled again and again.
        each.how.code_bytes = (number + n) % 7 == 0 ? std::size_t{48} << 10 : std::size_t{4} << 20;
        each.asks_each_run = (number / 3 + n) % 2 == 0;
        each.disturbs = (number / 2 + n) % 4 == 0;
        each.watches = (number / 5 + n) % 10 == 0;
        each.looks_everywhere = lengths[n] == 40000;
        each.most_instructions = lengths[n] == 1 ? 4000 : 20000;
    }
    return result;
}

fuzz_bench::fuzz_bench()
    : interpreted_(std::make_unique<side>(std::nullopt)),
      translated_side_(std::make_unique<side>(std::nullopt)) {
    for (side* each : {interpreted_.get(), translated_side_.get()}) {
        // Programs touch a page here and there, and all of them are thrown away after each program.
        const auto ram = each->machine.ram();
        madvise(ram.data(), ram.size(), MADV_NOHUGEPAGE);
    }
}

std::int64_t fuzz_bench::watcher::before_run(power::core& /*c*/, std::int64_t instructions) {
    return instructions;
}
std::int64_t fuzz_bench::watcher::before_stretch(power::core& c) {
    constexpr std::int64_t stretch = 60;
    remember(c.instructions());
    return stretch;
}
power::exit_reason fuzz_bench::watcher::after_run(power::core& /*c*/, power::exit_reason why) { return why; }
bool fuzz_bench::watcher::sees_code(std::uint64_t ea) {
    return (ea & power::small_page_mask) == random_program::first_code + power::small_page;
}
power::handler fuzz_bench::watcher::shim_of(power::observed_op& /*decoded*/, std::uint64_t ea) {
    return ea % 16 != 0 ? shim : nullptr;
}
bool fuzz_bench::watcher::sees_data(std::uint64_t ea) {
    return (ea & power::small_page_mask) == random_program::data + 0x1'2000;
}
bool fuzz_bench::watcher::access(power::core& c, const power::op* o, std::uint64_t ea, std::size_t size,
                                 power::access_kind kind) {
    remember(c.cia(o) + ea * size + (kind == power::access_kind::store ? 1 : 0));
    remember(c.instructions_before(o));
    return true;
}
void fuzz_bench::watcher::interrupted(power::core& c, std::uint64_t nip,
                                      const power::interrupt_cause& cause) {
    remember(nip + static_cast<std::uint64_t>(cause.which));
    remember(c.instructions());
}
const power::op* fuzz_bench::watcher::shim(power::core& c, const power::op* o) {
    static_cast<watcher*>(c.observed_by())->remember(c.cia(o) ^ c.instructions_before(o) << 16);
    return c.proceed(o);
}

void fuzz_bench::prepare(side& which, const random_program& program) {
    flat_machine& machine = which.machine;
    machine.clear();
    std::memcpy(&machine.ram()[random_program::data_around], first_data().data(), first_data().size());
    for (const auto& each : program.vectors) {
        put(machine, each, true);
    }
    for (const auto& each : program.code) {
        put(machine, each, program.little_endian);
    }
    if (program.seed % 4 == 0) {
        machine.notice(random_program::data + 0x1'1000);
    }
    power::core& core = machine.core();
    core.attention_leaves(true);
    core.external_interrupt(false);
    core.seed(1);
    core.copied = {};
    core.copy_pending = false;
    core.state = program.initial;
    core.set_cfar(program.initial[power::spr::cfar]);
    core.msr_changed();
    which.time.first = core.instructions();
    core.dec = {};
    core.dec.set(program.decrementer, 0, core.decrementer_width());
}

/// What other processors, devices and the machine around a core do to it, on both sides alike.
void fuzz_bench::disturb(dice& random, std::int64_t run_length) {
    const unsigned chance = run_length == 1 ? 1 : run_length < 100 ? 5 : 40;
    if (!random.percent(chance)) {
        return;
    }
    const std::uint64_t code = random_program::first_code + 4 * random.below(2048);
    const unsigned what = random.below(9);
    const bool level = random.percent(50);
    for (side* each : {interpreted_.get(), translated_side_.get()}) {
        power::core& core = each->machine.core();
        switch (what) {
        case 0:
            core.forget_translations();
            break;
        case 1:
            core.forget_stores();
            break;
        case 2:
            core.forget_real(code);
            break;
        case 3:
            core.forget_code(code, 4);
            break;
        case 4:
            core.lose_reservation();
            break;
        case 5:
            core.external_interrupt(level);
            break;
        case 6: {
            std::uint32_t word = 0;  // of two no-operations, this one has no host code
            std::memcpy(&word, &each->machine.ram()[code], sizeof word);
            if (word == no_operation) {
                const std::uint32_t other = 0x7c00'04ac;  // sync
                std::memcpy(&each->machine.ram()[code], &other, sizeof other);
                core.forget_code(code, 4);
            }
            break;
        }
        default:
            core.step();
            break;
        }
    }
}

std::optional<std::string> fuzz_bench::run(const random_program& program, const fuzz_setting& how) {
    side& interpreted = *interpreted_;
    side& translating = *translated_side_;
    translating.machine.translate(std::nullopt);
    prepare(interpreted, program);
    prepare(translating, program);
    translating.machine.translate(how.how);
    for (side* each : {interpreted_.get(), translated_side_.get()}) {
        each->watching.forget();
        each->machine.core().observe(how.watches ? &each->watching : nullptr);
    }
    dice random(program.seed ^ 0x5bd1'e995);
    std::optional<std::string> difference;
    bool more = true;
    while (more && !difference &&
           interpreted.machine.core().instructions() - interpreted.time.first < how.most_instructions) {
        if (how.disturbs) {
            disturb(random, how.run_length);
        }
        if (how.asks_each_run) {
            translating.machine.ask_translator();
        }
        const std::uint64_t from = interpreted.machine.core().state.nip;
        more = interpreted.machine.run(how.run_length);
        const bool more_too = translating.machine.run(how.run_length);
        difference = testing::difference(interpreted.machine.core(), translating.machine.core());
        if (!difference && interpreted.machine.positions() != translating.machine.positions()) {
            difference = elsewhere(interpreted.machine.positions(), translating.machine.positions());
        }
        if (!difference && interpreted.watching.seen() != translating.watching.seen()) {
            difference = " the observer has seen something else";
        }
        if (difference || more != more_too) {
            difference = fmt::format("in the run from {:x},{}{}", from, difference.value_or(""),
                                     more != more_too ? " one has ended, the other has not" : "");
        }
    }
    instructions_ += translating.machine.core().instructions() - translating.time.first;
    translated_ += translating.machine.translator()->counters().running.instructions;
    if (!difference) {
        // Nearly all accesses go to the beginning of RAM. To look for others takes longer than most programs.
        constexpr std::size_t near = std::size_t{16} << 20;
        const std::size_t size = how.looks_everywhere ? flat_machine::ram_size : near;
        if (const auto where = first_difference(interpreted.machine.ram().first(size),
                                                translating.machine.ram().first(size))) {
            difference = fmt::format("memory differs at the end, at {:x}", *where);
        }
    }
    if (difference) {  // instructions() of the two may differ for ever
        *this = fuzz_bench();
    }
    return difference;
}

std::string listing(const random_program& program) {
    std::string text;
    for (const auto& each : program.code) {
        for (std::size_t n = 0; n < each.words.size(); ++n) {
            const std::uint64_t at = each.real + 4 * n;
            if (each.words[n] != no_operation) {
                text += fmt::format(
                    "{:6x}: {:08x}  {}\n", at, each.words[n],
                    power::debug::disassemble(each.words[n], at, power::debug::unwritable::as_instructions));
            }
        }
    }
    text += "registers:";
    for (std::size_t n = 0; n < power::general_registers::size(); ++n) {
        text += fmt::format(" r{} {:x}", n, program.initial.gpr[n]);
    }
    const power::registers& s = program.initial;
    return text + fmt::format(" cr {:08x} xer {:x} lr {:x} ctr {:x} msr {:x} fpscr {:x} decrementer {:x}\n",
                              std::uint32_t{s.cr}, s[power::spr::xer], s[power::spr::lr], s[power::spr::ctr],
                              s.msr, s.fpscr, program.decrementer);
}

random_program shrunk(random_program program, const std::function<bool(const random_program&)>& fails) {
    const auto attempt = [&](const auto& change) {
        random_program smaller = program;
        change(smaller);
        if (!fails(smaller)) {
            return false;
        }
        program = std::move(smaller);
        return true;
    };
    for (std::size_t piece = 0; piece < program.code.size(); ++piece) {
        const std::size_t all = program.code[piece].words.size();
        for (std::size_t size = std::bit_ceil(all); size != 0; size /= 2) {
            for (std::size_t first = 0; first < all; first += size) {
                const auto words = [&](random_program& of) {
                    return std::span(of.code[piece].words).subspan(first, std::min(size, all - first));
                };
                const auto found = words(program);
                if (std::ranges::any_of(found, [](std::uint32_t word) { return word != no_operation; })) {
                    attempt(
                        [&](random_program& smaller) { std::ranges::fill(words(smaller), no_operation); });
                }
            }
        }
    }
    attempt([](random_program& smaller) { smaller.initial.vsr = {}; });
    attempt([](random_program& smaller) { smaller.initial.fpscr = 0; });
    attempt([](random_program& smaller) { smaller.initial.cr = 0; });
    attempt([](random_program& smaller) { smaller.initial[power::spr::xer] = 0; });
    attempt([](random_program& smaller) { smaller.initial[power::spr::lr] = 0; });
    attempt([](random_program& smaller) { smaller.initial.msr &= ~power::msr_ee; });
    for (std::size_t n = 0; n < power::general_registers::size(); ++n) {
        if (program.initial.gpr[n] != 0 &&
            !attempt([n](random_program& smaller) { smaller.initial.gpr[n] = 0; })) {
            attempt([n](random_program& smaller) { smaller.initial.gpr[n] = 1; });
        }
    }
    return program;
}

}  // namespace pefsim::testing
