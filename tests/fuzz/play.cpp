// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/play.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "power/debug/disassembler.h"
#include "power/instructions/power9_decoder.h"
#include "power/translator/region_translator.h"
#include "tests/fuzz/machine.h"

namespace pefsim::fuzz {

using power::exit_reason;
using power::registers;
using power::spr;
using u64 = std::uint64_t;

namespace {

u64 cpu_nanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<u64>(now.tv_sec) * 1'000'000'000 + static_cast<u64>(now.tv_nsec);
}

/// Sees everything and changes nothing. When `exact`, runs end after exactly the instructions that they were told.
class witness : public power::observer {
public:
    explicit witness(bool exact) : exact_(exact) {}
    std::int64_t before_run(power::core& /*c*/, std::int64_t instructions) override { return instructions; }
    std::int64_t before_stretch(power::core& c) override {
        return static_cast<std::int64_t>(1 + mixed(c.instructions(), 2) % 64);
    }
    exit_reason after_run(power::core& /*c*/, exit_reason why) override { return why; }
    bool sees_code(u64 /*ea*/) override { return true; }
    power::handler shim_of(power::observed_op& /*decoded*/, u64 /*ea*/) override { return shim; }
    bool sees_data(u64 ea) override { return (ea / power::small_page & 1) != 0; }
    bool access(power::core& /*c*/, const power::op* /*o*/, u64 /*ea*/, std::size_t /*size*/,
                power::access_kind /*kind*/) override {
        return true;
    }
    void interrupted(power::core& /*c*/, u64 /*nip*/, const power::interrupt_cause& /*cause*/) override {}

private:
    static const power::op* shim(power::core& c, const power::op* o) {
        const bool exact = static_cast<const witness*>(c.observed_by())->exact_;
        return exact && c.left(o) <= 0 ? c.leave_before(o, exit_reason::paused) : c.proceed(o);
    }

    bool exact_;
};

/// These exits leave the instruction undone, and it does not count.
bool before_instruction(exit_reason why) {
    return why == exit_reason::stopped || why == exit_reason::attention || why == exit_reason::interrupt ||
           why == exit_reason::lost;
}

class player {
public:
    player(const fuzz_case& what, way how, bool list)
        : case_(what),
          how_(how),
          list_(list),
          machine_(what.ram, what.tables, what.processes),
          core_(power::isa::power9_decoder(), machine_, machine_),
          witness_(how == way::observed) {
        machine_.serve(core_);
        machine_.ticks_per_instruction = what.ticks_per_instruction;
        core_.use(machine_);
        core_.seed(what.random_seed);
        core_.attention_leaves(what.attention_leaves);
        core_.interrupts_leave(what.interrupts_leave);
        core_.state = what.state;
        core_.dec.set(what.decrementer, machine_.time, core_.decrementer_width());
        core_.msr_changed();
        if (how == way::observed || how == way::watched) {
            core_.observe(&witness_);
        }
        if (how == way::translated && power::region_translator::available()) {
            host_code_ = std::make_unique<power::region_translator>(
                core_, power::region_translator::options::at_first_execution());
        }
    }

    record play(const record* reference) {
        for (std::size_t i = 0; i < case_.chunks.size(); ++i) {
            for (const event& each : case_.chunks[i].before) {
                happen(each);
            }
            const u64 start = cpu_nanoseconds();
            const exit_reason why = run(case_.chunks[i].budget,
                                        reference == nullptr ? nullptr : &reference->chunks[i]);
            made_.nanoseconds += cpu_nanoseconds() - start;
            keep(why);
            serve(why);
        }
        made_.instructions = core_.instructions();
        made_.translated = host_code_ ? host_code_->counters().running.instructions : 0;
        made_.requests = machine_.requests + core_.counters().decoded;
        return std::move(made_);
    }

private:
    exit_reason run(std::int64_t budget, const snapshot* reference);
    exit_reason follow(const snapshot& reference);
    exit_reason advance(u64 left);
    void happen(const event& what);
    void keep(exit_reason why);
    void serve(exit_reason why);
    void print_next() const;

    const fuzz_case& case_;
    way how_;
    bool list_;
    machine machine_;
    power::core core_;
    witness witness_;
    std::unique_ptr<power::region_translator> host_code_;
    record made_;
};

exit_reason player::run(std::int64_t budget, const snapshot* reference) {
    exit_reason why = exit_reason::paused;
    switch (how_) {
    case way::forgetful:
        core_.forget_real(0, real::ram_size);
        machine_.shoot_down({.what = power::tlb_invalidation::reach::all});
        [[fallthrough]];
    case way::run:
    case way::again:
    case way::translated:
    case way::watched:
        why = core_.run(budget);
        break;
    case way::observed:
    case way::step:
        why = follow(*reference);
        break;
    }
    core_.lose_reservation();
    machine_.do_what_is_due();
    return why;
}

/// As far as the reference has got.
exit_reason player::follow(const snapshot& reference) {
    exit_reason why = exit_reason::paused;
    unsigned idle_rounds = 0;  // an interrupt that is taken between instructions does not count as one
    const bool undone = before_instruction(reference.why);
    while (core_.instructions() < reference.instructions || (undone && why != reference.why)) {
        const u64 before = core_.instructions();
        why = advance(reference.instructions - before);
        const u64 now = core_.instructions();
        if (now > reference.instructions || (why != exit_reason::paused && now < reference.instructions)) {
            break;  // they differ
        }
        idle_rounds = now == before ? idle_rounds + 1 : 0;
        if (idle_rounds > 3) {
            break;
        }
    }
    return why;
}

exit_reason player::advance(u64 left) {
    if (how_ == way::step) {
        if (list_) {
            print_next();
        }
        return core_.step();
    }
    const u64 piece = 1 + mixed(core_.instructions(), left) % 64;
    return core_.run(static_cast<std::int64_t>(std::max<u64>(1, std::min(piece, left))));
}

void player::print_next() const {
    const registers& state = core_.state;
    const u64 ea = state.nip & core_.ea_mask();
    machine& around = const_cast<machine&>(machine_);
    const power::translation found = around.translate(state, ea, power::access_kind::fetch);
    const std::byte* bytes = found.error == power::storage_error::none
                                 ? around.direct(found.real, power::access_kind::fetch)
                                 : nullptr;
    if (bytes == nullptr) {
        fmt::print("{:8} {:016x} msr {:016x} no code\n", core_.instructions(), ea, state.msr);
        return;
    }
    std::uint32_t word = 0;
    std::memcpy(&word, bytes + found.real % power::small_page / 4 * 4, sizeof word);
    word = (state.msr & power::msr_le) != 0 ? word : __builtin_bswap32(word);
    fmt::print("{:8} {:016x} msr {:016x} {:08x} {}\n", core_.instructions(), ea, state.msr, word,
               power::debug::disassemble(word, ea, power::debug::unwritable::as_instructions));
}

void player::happen(const event& what) {
    registers& state = core_.state;
    switch (what.what) {
    case event_kind::external_interrupt:
        core_.external_interrupt(what.argument % 2 != 0);
        break;
    case event_kind::doorbell:
        state[spr::dpdes] = what.argument & 1;
        break;
    case event_kind::decrementer:
        core_.dec.set(what.argument, core_.time_base(), core_.decrementer_width());
        break;
    case event_kind::time:
        machine_.time += what.argument;
        break;
    case event_kind::reset:
        if (!case_.interrupts_leave) {
            core_.take_interrupt({.which = power::vector::system_reset});
        }
        break;
    case event_kind::store:
        machine_.store_by_other(what.argument, mixed(what.argument, 1));
        break;
    case event_kind::shoot_down:
        machine_.shoot_down({.what = static_cast<power::tlb_invalidation::reach>(what.argument % 3),
                             .ea = what.argument & 0x3f000,
                             .size = power::small_page << what.argument % 20,
                             .pid = what.argument >> 32 & 3});
        break;
    case event_kind::toggle_page:
        machine_.toggle(what.argument);
        break;
    case event_kind::forget_range:
        core_.forget_real(what.argument & 0x3ffff, what.argument >> 40 & 0x1ffff);
        break;
    case event_kind::change_registers:
        state.gpr[3 + what.argument % 8] = what.argument;
        state.msr ^= power::msr_s |
                     (what.argument & (power::msr_pr | power::msr_sf | power::msr_dr | power::msr_fp));
        state[spr::dawr] = what.argument & 0x3ffff;
        state[spr::dawrx] = what.argument >> 20 & 0x1ff;
        core_.msr_changed();
        core_.forget_translations();
        break;
    }
}

void player::keep(exit_reason why) {
    snapshot now{.state = core_.state,
                 .why = why,
                 .instructions = core_.instructions(),
                 .digest = machine_.digest(),
                 .copied = core_.copy_pending ? 1U : 0U,
                 .decrementer = core_.dec.value(core_.time_base(), power::decrementer::large),
                 .decrementer_written = machine_.decrementer_written,
                 .traced = core_.interrupts_taken()[power::row_of(power::vector::trace)] != 0};
    for (const u64 each : core_.copied) {
        now.copied = mixed(now.copied, each);
    }
    made_.chunks.push_back(now);
}

/// What software above the processor does about an exit.
void player::serve(exit_reason why) {
    registers& state = core_.state;
    switch (why) {
    case exit_reason::hypercall:
    case exit_reason::ultracall:
        state.gpr[3] = mixed(state.gpr[3], core_.instructions());
        break;
    case exit_reason::stopped:
    case exit_reason::attention:
    case exit_reason::lost:
        state.nip += 4;
        break;
    case exit_reason::interrupt:  // an operating system goes on behind the instruction, or somewhere
        state.nip = mixed(state.nip, 0) % 3 != 0 ? state.nip + 4
                                                 : (0xe000 + mixed(state.nip, 1) % 0x4000) & ~u64{3};
        break;
    default:
        break;
    }
}

std::string first_register(const registers& a, const registers& b) {
    for (std::size_t i = 0; i < a.gpr.size(); ++i) {
        if (a.gpr[i] != b.gpr[i]) {
            return fmt::format("r{} {:x} {:x}", i, a.gpr[i], b.gpr[i]);
        }
    }
    for (std::size_t i = 0; i < a.vsr.size(); ++i) {
        if (a.vsr[i] != b.vsr[i]) {
            return fmt::format("vs{} {:x}:{:x} {:x}:{:x}", i, a.vsr[i].high, a.vsr[i].low, b.vsr[i].high,
                               b.vsr[i].low);
        }
    }
    for (std::size_t i = 0; i < a.special.size(); ++i) {
        if (a.special[i] != b.special[i]) {
            return fmt::format("spr[{}] {:x} {:x}", i, a.special[i], b.special[i]);
        }
    }
    const auto scalars = [](const registers& of) {
        return std::array<u64, 5>{of.nip, of.msr, static_cast<std::uint32_t>(of.cr), of.fpscr, of.vscr};
    };
    constexpr std::array names{"nip", "msr", "cr", "fpscr", "vscr"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (scalars(a)[i] != scalars(b)[i]) {
            return fmt::format("{} {:x} {:x}", names[i], scalars(a)[i], scalars(b)[i]);
        }
    }
    return {};
}

}  // namespace

std::string_view name_of(way which) {
    constexpr std::array<std::string_view, ways.size()> names{
        "run", "again", "forgetful", "translated", "watched", "observed", "step"};
    return names[static_cast<std::size_t>(which)];
}

record play(const fuzz_case& what, way how, const record* reference, bool list) {
    return player(what, how, list).play(reference);
}

std::size_t comparable(const fuzz_case& what, way how, const record& reference) {
    if (how == way::again || how == way::translated) {
        return reference.chunks.size();
    }
    if (what.hostile_trees) {
        return 0;
    }
    if (how == way::forgetful || how == way::watched) {
        return reference.chunks.size();
    }
    if (what.ticks_per_instruction != 0) {
        return 0;
    }
    const auto end = std::ranges::find_if(reference.chunks, [how](const snapshot& each) {
        return each.decrementer_written || (how == way::step && each.traced);
    });
    return static_cast<std::size_t>(end - reference.chunks.begin());
}

std::optional<std::string> difference(const record& reference, const record& other, std::size_t chunks) {
    for (std::size_t i = 0; i < chunks; ++i) {
        const snapshot& a = reference.chunks[i];
        const snapshot& b = other.chunks[i];
        const std::string registers = first_register(a.state, b.state);
        if (!registers.empty()) {
            return fmt::format("chunk {}: {}; instructions {} {}, exit {} {}", i, registers, a.instructions,
                               b.instructions, static_cast<int>(a.why), static_cast<int>(b.why));
        }
        if (a.instructions != b.instructions || a.why != b.why) {
            return fmt::format("chunk {}: instructions {} {}, exit {} {}", i, a.instructions, b.instructions,
                               static_cast<int>(a.why), static_cast<int>(b.why));
        }
        if (a.digest != b.digest) {
            return fmt::format("chunk {}: storage or device", i);
        }
        if (a.copied != b.copied || a.decrementer != b.decrementer) {
            return fmt::format("chunk {}: copy buffer or decrementer", i);
        }
    }
    return {};
}

}  // namespace pefsim::fuzz
