// SPDX-License-Identifier: Apache-2.0
//
// Chains of calls from a guest's stack: by the ABI's back chain, across Linux's frames of interrupts, and by nothing
// that looks like either.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "power/debug/call_chain.h"
#include "power/debug/call_tree.h"
#include "power/debug/monitor.h"
#include "power/debug/profile.h"
#include "power/debug/symbols.h"
#include "tests/power/debug_machine.h"

namespace pefsim::power::debug {
namespace {

constexpr std::uint64_t problem_state = msr_sf | msr_le | msr_pr | msr_ir | msr_dr;
constexpr std::uint64_t privileged = msr_sf | msr_le | msr_ir | msr_dr;

/// Doublewords, and which were asked for.
class words final : public stack_storage {
public:
    std::optional<std::uint64_t> doubleword(std::uint64_t ea, std::uint64_t msr) override {
        ++reads;
        EXPECT_EQ(ea % 8, 0U);
        if (msr == problem_state) {
            ++reads_in_problem_state;
        }
        const auto found = at.find(ea);
        return found == at.end() ? std::nullopt : std::optional(found->second);
    }
    std::map<std::uint64_t, std::uint64_t> at;
    std::size_t reads = 0;
    std::size_t reads_in_problem_state = 0;
};

std::vector<std::uint64_t> walk(words& storage, const stack_state& from, std::size_t most = deepest_chain) {
    std::vector<chain_step> steps(most);
    steps.resize(call_chain(from, storage, steps));
    std::vector<std::uint64_t> places;
    for (const chain_step each : steps) {
        places.push_back(each.ea() | (each.from_lr() ? 1 : 0));
    }
    return places;
}

/// main (0x100) called work (0x200), which called inner (0x300); frames at 0x8000, 0x8100, 0x8200.
words three_functions() {
    words storage;
    storage.at = {{0x8000, 0x8100}, {0x8100, 0x8200}, {0x8200, 0}, {0x8110, 0x204}, {0x8210, 0x104}};
    return storage;
}

using places = std::vector<std::uint64_t>;

TEST(call_chain, follows_the_lr_save_words) {
    words storage = three_functions();
    const stack_state saved{.place = 0x300, .msr = privileged, .r1 = 0x8000, .lr = 0x204};
    EXPECT_EQ(walk(storage, saved), (places{0x300, 0x200, 0x100})) << "LR stands there once";
    // inner has called something: LR leads into it.
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000, .lr = 0x30c}),
              (places{0x300, 0x308 | 1, 0x200, 0x100}));
    // A function without a frame: LR is its caller's.
    EXPECT_EQ(walk(storage, {.place = 0x400, .msr = privileged, .r1 = 0x8000, .lr = 0x304}),
              (places{0x400, 0x300 | 1, 0x200, 0x100}));
}

TEST(call_chain, knows_what_a_branch_has_done_to_the_registers) {
    words storage = three_functions();
    EXPECT_EQ(walk(storage, {.place = 0x300,
                             .then = way_on::call,
                             .nip = 0x500,
                             .msr = privileged,
                             .r1 = 0x8000,
                             .lr = 0x304}),
              (places{0x300, 0x200, 0x100}));
    EXPECT_EQ(walk(storage, {.place = 0x400,
                             .then = way_on::back,
                             .nip = 0x304,
                             .msr = privileged,
                             .r1 = 0x8000,
                             .lr = 0x304}),
              (places{0x400, 0x300, 0x200, 0x100}));
    EXPECT_EQ(walk(storage, {.place = 0x900,
                             .then = way_on::from_interrupt,
                             .nip = 0x300,
                             .msr = privileged,
                             .r1 = 0x8000,
                             .lr = 0x204}),
              (places{0x900, 0x300, 0x200, 0x100}));
}

TEST(call_chain, tells_branches) {
    for (const auto& [word, way] : {
             std::pair{0x4800'0010U, way_on::ahead},           // b .+16
             std::pair{0x4800'0011U, way_on::call},            // bl
             std::pair{0x4182'0010U, way_on::ahead},           // beq
             std::pair{0x4182'0011U, way_on::call},            // beql
             std::pair{0x4e80'0020U, way_on::back},            // blr
             std::pair{0x4d82'0020U, way_on::back},            // beqlr
             std::pair{0x4e80'0021U, way_on::call},            // blrl
             std::pair{0x4e80'0420U, way_on::ahead},           // bctr
             std::pair{0x4e80'0421U, way_on::call},            // bctrl
             std::pair{0x4c00'0024U, way_on::from_interrupt},  // rfid
             std::pair{0x4c00'00a4U, way_on::from_interrupt},  // rfscv
             std::pair{0x4c00'0224U, way_on::from_interrupt},  // hrfid
             std::pair{0x4c00'012cU, way_on::ahead},           // isync
             std::pair{0x4400'0022U, way_on::ahead},           // sc 1
             std::pair{0x3860'0001U, way_on::ahead},           // li, odd
         }) {
        EXPECT_EQ(way_of(word), way) << std::hex << word;
    }
}

/// A frame of Linux's at `frame` with what it has saved.
void put_interrupt(words& storage, std::uint64_t frame, std::uint64_t marker,
                   const stack_state& interrupted) {
    const std::uint64_t regs = frame + marker + 16;
    storage.at[frame] = interrupted.r1;
    storage.at[frame + marker] = 0x7265'6773'6865'7265;
    storage.at[regs + 8] = interrupted.r1;
    storage.at[regs + 256] = interrupted.nip;
    storage.at[regs + 264] = interrupted.msr;
    storage.at[regs + 288] = interrupted.lr;
}

class linux_frames : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(linux_frames, are_crossed_where_the_interrupt_came) {
    words storage = three_functions();
    // The handler (0x700, frame 0x6000) was called by the entry code (0x600), whose frame is 0x6100.
    storage.at[0x6000] = 0x6100;
    storage.at[0x6110] = 0x604;
    put_interrupt(storage, 0x6100, GetParam(), {.nip = 0x320, .msr = privileged, .r1 = 0x8000, .lr = 0x204});
    const stack_state in_handler{.place = 0x700, .msr = privileged, .r1 = 0x6000, .lr = 0x604};
    EXPECT_EQ(walk(storage, in_handler), (places{0x700, 0x600, 0x320, 0x200, 0x100}));
    EXPECT_EQ(storage.reads_in_problem_state, 0U);
    // In the entry code itself, with LR as it was and as it is behind a call.
    EXPECT_EQ(walk(storage, {.place = 0x600, .msr = privileged, .r1 = 0x6100, .lr = 0x204}),
              (places{0x600, 0x320, 0x200, 0x100}));
    EXPECT_EQ(walk(storage, {.place = 0x610, .msr = privileged, .r1 = 0x6100, .lr = 0x60c}),
              (places{0x610, 0x608 | 1, 0x320, 0x200, 0x100}));
}

TEST_P(linux_frames, lead_into_the_program_that_the_kernel_serves) {
    words storage = three_functions();
    storage.at[0x6000] = 0x6100;
    storage.at[0x6110] = 0x604;
    put_interrupt(storage, 0x6100, GetParam(),
                  {.nip = 0x320, .msr = problem_state, .r1 = 0x8000, .lr = 0x328});
    EXPECT_EQ(walk(storage, {.place = 0x700, .msr = privileged, .r1 = 0x6000, .lr = 0x604}),
              (places{0x700, 0x600, 0x320, 0x324 | 1, 0x200, 0x100}));
    EXPECT_GT(storage.reads_in_problem_state, 0U);
}

TEST_P(linux_frames, are_not_told_by_a_marker_that_was_left) {
    words storage = three_functions();
    storage.at[0x8100 + GetParam()] = 0x7265'6773'6865'7265;
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000, .lr = 0x204}),
              (places{0x300, 0x200, 0x100}));
    const std::uint64_t regs = 0x8100 + GetParam() + 16;
    for (std::uint64_t each = 0; each < 300; each += 8) {
        storage.at.try_emplace(regs + each, 0x8300);  // registers, and R1 is not where the chain goes on
    }
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000, .lr = 0x204}),
              (places{0x300, 0x200, 0x100}));
}

INSTANTIATE_TEST_SUITE_P(abi, linux_frames, ::testing::Values(32, 96));

TEST(call_chain, ends_where_storage_does) {
    words storage;
    const stack_state nowhere{.place = 0x300, .msr = privileged, .r1 = 0x8000, .lr = 0x204};
    EXPECT_EQ(walk(storage, nowhere), (places{0x300, 0x200 | 1}));
    storage.at = {{0x8000, 0x8100}};
    EXPECT_EQ(walk(storage, nowhere), (places{0x300, 0x200 | 1}));
    storage.at = {{0x8000, 0x8000}, {0x8010, 0x104}};
    EXPECT_EQ(walk(storage, nowhere), (places{0x300, 0x200 | 1})) << "a frame that is its own caller's";
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8004}), (places{0x300}))
        << "no frame";
}

TEST(call_chain, ends_in_circles) {
    words storage;
    storage.at = {{0x8000, 0x8100}, {0x8100, 0x8000}, {0x8010, 0}, {0x8110, 0}};
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000}).size(), 1U);
    storage.at[0x8010] = 0x104;
    EXPECT_LE(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000}).size(), deepest_chain);
    put_interrupt(storage, 0x8000, 32, {.nip = 0x320, .msr = privileged, .r1 = 0x8100});
    put_interrupt(storage, 0x8100, 32, {.nip = 0x320, .msr = privileged, .r1 = 0x8000});
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000}).size(), deepest_chain);
    EXPECT_EQ(walk(storage, {.place = 0x300, .msr = privileged, .r1 = 0x8000}, 1), (places{0x300}));
}

TEST(call_chain, of_garbage_is_bounded) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 2000; ++round) {
        words storage;
        const auto place = [&random] { return 0x8000 + (random() & 0x1f8); };
        for (int n = 0; n < 64; ++n) {
            storage.at[0x8000 + static_cast<std::uint64_t>(n) * 8] = random() % 4 == 0 ? 0x7265'6773'6865'7265
                                                                     : random() % 4 == 0 ? random()
                                                                                         : place();
        }
        const stack_state from{.place = random(),
                               .then = static_cast<way_on>(random() % 4),
                               .nip = random(),
                               .msr = random(),
                               .r1 = random() % 8 == 0 ? random() : place(),
                               .lr = random()};
        const std::size_t most = 1 + random() % deepest_chain;
        EXPECT_LE(walk(storage, from, most).size(), most);
        EXPECT_LE(storage.reads, most * 20) << "round " << round;
    }
}

// --- by function

symbol_table three_symbols() {
    symbol_table symbols;
    symbols.add(0x100, 0x100, "main");
    symbols.add(0x200, 0x100, "work");
    symbols.add(0x300, 0x100, "inner");
    return symbols;
}

std::string text(const call_tree& tree, const symbol_lookup& symbols) {
    std::string out;
    for (const named_stack& each : tree.by_function(symbols)) {
        for (const std::string& function : each.functions) {
            out += function + ' ';
        }
        out += std::to_string(each.count) + '\n';
    }
    return out;
}

TEST(call_tree, adds_up_by_function) {
    const symbol_table symbols = three_symbols();
    call_tree tree;
    const auto add = [&tree](std::initializer_list<chain_step> steps, std::uint64_t count = 1) {
        tree.add(std::vector(steps), count);
    };
    add({{0x300, false}, {0x200, false}, {0x100, false}});
    add({{0x304, false}, {0x208, false}, {0x100, false}}, 2);
    add({{0x300, false}, {0x308, true}, {0x200, false}, {0x100, false}});   // LR of inner's own call
    add({{0x300, false}, {0x308, false}, {0x200, false}, {0x100, false}});  // inner called inner
    add({{0x100, false}});
    add({{0x5008, false}, {0x6000, false}, {0x7000, false}, {0x100, false}, {0x9000, false}});
    EXPECT_EQ(text(tree, symbols),
              "[unknown] main [unknown] [0x5000] 1\nmain 1\nmain work inner 4\nmain work inner inner 1\n");
    EXPECT_EQ(tree.total(), 7U);
    EXPECT_EQ(tree.shortened(), 0U);
}

TEST(call_tree, stops_growing_and_says_so) {
    call_tree tree;
    const std::uint64_t more = 1000;
    for (std::uint64_t n = 0; n < call_tree::most_nodes + more; ++n) {
        const std::array chain{chain_step{0x1000 + n * 4, false}, chain_step{0x100, false}};
        tree.add(chain);
    }
    EXPECT_EQ(tree.total(), call_tree::most_nodes + more);
    EXPECT_GE(tree.shortened(), more);
    std::uint64_t sum = 0;
    for (const named_stack& each : tree.by_function(no_symbols())) {
        sum += each.count;
    }
    EXPECT_EQ(sum, tree.total());
}

// --- of a program that runs

/// main calls work three times, which calls inner twice, which has no frame; with symbols.
class profile_of_calls : public ::testing::Test {
protected:
    class stack final : public stack_storage {
    public:
        explicit stack(const debug_machine& machine) : machine_(machine) {}
        std::optional<std::uint64_t> doubleword(std::uint64_t ea, std::uint64_t /*msr*/) override {
            return ea < debug_machine::ram_size ? std::optional(machine_.doubleword(ea)) : std::nullopt;
        }

    private:
        const debug_machine& machine_;
    };

    profile_of_calls() {
        machine.put(0x1000, {
                                0x3860'0003,  // main: li r3,3
                                0x7c68'1b78,  // again: mr r8,r3
                                0x4800'00f9,  // bl work
                                0x3463'ffff,  // addic. r3,r3,-1
                                0x4082'fff4,  // bne again
                                0x4800'0000,  // b .
                            });
        machine.put(0x1100, {
                                0x7c08'02a6,  // work: mflr r0
                                0xf801'0010,  // std r0,16(r1)
                                0xf821'ffe1,  // stdu r1,-32(r1)
                                0x4800'00f5,  // bl inner
                                0x38a5'0001,  // addi r5,r5,1
                                0x4800'00ed,  // bl inner
                                0x3821'0020,  // addi r1,r1,32
                                0xe801'0010,  // ld r0,16(r1)
                                0x7c08'03a6,  // mtlr r0
                                0x4e80'0020,  // blr
                            });
        machine.put(0x1200, {
                                0x38c6'0001,  // inner: addi r6,r6,1
                                0x38c6'0001,
                                0x4e80'0020,  // blr
                            });
        symbols.add(0x1000, 0x100, "main");
        symbols.add(0x1100, 0x100, "work");
        symbols.add(0x1200, 0x100, "inner");
        registers& state = machine.core().state;
        state.msr |= msr_le;
        state.nip = 0x1000;
        state.gpr[1] = 0x8000;
        machine.core().msr_changed();
    }

    debug_machine machine;
    symbol_table symbols;
    stack stacks{machine};
    monitor tools{machine.core()};
};

TEST_F(profile_of_calls, has_the_chain_of_every_instruction) {
    profile samples(1);
    tools.sample(&samples, &stacks);
    // main's: 1, and 4 in each round; work's 10, twice 3 of inner's. All of the rounds, whatever the run's length.
    constexpr std::uint64_t length = 1 + 3 * (4 + 10 + 6);
    while (machine.core().instructions() < length) {
        machine.core().run(7);
    }
    const std::uint64_t waited = machine.core().instructions() - length;
    EXPECT_EQ(samples.collapsed(symbols),
              "main " + std::to_string(1 + 3 * 4 + waited) + "\nmain;work 30\nmain;work;inner 18\n");
}

TEST_F(profile_of_calls, needs_no_stacks) {
    profile samples(1);
    tools.sample(&samples);
    while (machine.core().instructions() < 61) {
        machine.core().run(100);
    }
    EXPECT_NE(samples.collapsed(symbols).find("inner 18\n"), std::string::npos) << samples.collapsed(symbols);
    tools.happened("nothing", 0x1000);
    EXPECT_TRUE(samples.events().empty());
}

TEST_F(profile_of_calls, has_page_faults_with_theirs) {
    machine.put(0x1204, {0xe8e9'0000});  // inner: ld r7,0(r9), where nothing is
    machine.core().state.gpr[9] = debug_machine::ram_size;
    profile samples(1000);
    tools.sample(&samples, &stacks);
    EXPECT_EQ(machine.core().run(1000), exit_reason::interrupt);
    ASSERT_EQ(samples.events().size(), 1U);
    const auto& [what, tree] = *samples.events().begin();
    EXPECT_EQ(what, "data page fault");
    EXPECT_EQ(text(tree, symbols), "main work inner 1\n");
}

}  // namespace
}  // namespace pefsim::power::debug
