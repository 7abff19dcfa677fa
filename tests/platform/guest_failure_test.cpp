// SPDX-License-Identifier: Apache-2.0
//
// What is said about a guest that went wrong: it panicked, it hangs, where it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/endian/conversion.hpp>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/rtas.h"
#include "platform/power/core_place.h"
#include "platform/power/power_machine.h"
#include "power/debug/symbols.h"
#include "power/engine/interrupt.h"
#include "report/run_ending.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

using report::ending_kind;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t code = 0x10000;
constexpr std::uint64_t block = 0x20000;
constexpr std::uint32_t branch_to_itself = 0x4800'0000;
constexpr std::uint32_t branch_back_2 = 0x4bff'fff8;
constexpr std::uint32_t branch_back_3 = 0x4bff'fff4;
constexpr std::uint32_t li_r3_h_get_term_char = 0x3860'0054;
constexpr std::uint32_t li_r3_h_random = 0x3860'0300;
constexpr std::uint32_t li_r3_0 = 0x3860'0000;
constexpr std::uint32_t ori_r3_h_rtas = 0x6063'f000;
constexpr std::uint32_t sc_1 = 0x4400'0022;

class guest_failure_test : public testing::simulation_test {
protected:
    template <class T>
    static void put(power_machine& machine, std::uint64_t at, const T& value) {
        std::memcpy(machine.memory().ram().write(memory::frame_kind::normal, at >> abi::page_shift) +
                        at % abi::page_size,
                    &value, sizeof value);
    }
    static void start(power_machine& machine, std::initializer_list<std::uint32_t> words) {
        std::uint64_t at = code;
        for (const std::uint32_t word : words) {
            put(machine, at, boost::endian::native_to_little(word));
            at += sizeof word;
        }
        machine.cpu(0).state().msr |= power::msr_le;
        machine.cpu(0).state().nip = code;
        machine.cpu(0).start();
    }
    static void print(power_machine& machine, std::string_view text) {
        machine.host().terminal().put(std::span(text), sc_core::SC_ZERO_TIME);
    }
    /// An operating system on slow processors, so that simulated time costs little.
    static power_machine_config with_firmware() {
        power_machine_config config;
        config.firmware = boot_configuration{};
        config.costs.instruction_cycles = 300;
        return config;
    }
    static void put_rtas_call(power_machine& machine, abi::rtas call,
                              std::initializer_list<std::uint64_t> arguments) {
        std::uint64_t at = block;
        const auto word = [&](std::uint64_t value) {
            put(machine, at, boost::endian::native_to_big(static_cast<std::uint32_t>(value)));
            at += sizeof(std::uint32_t);
        };
        word(static_cast<std::uint64_t>(call));
        word(arguments.size());
        word(1);
        for (const std::uint64_t each : arguments) {
            word(each);
        }
        machine.cpu(0).state().gpr[4] = block;
    }
};

// --- panics

TEST_F(guest_failure_test, a_kernel_that_loops_after_its_panic_has_panicked) {
    power_machine subject("machine", with_firmware(), 1);
    print(subject,
          "booting\n[    0.5] Kernel panic - not syncing: No working init\x1b[31m found.\r\nCPU: 0\n");
    start(subject, {branch_to_itself});
    subject.run();
    EXPECT_EQ(subject.ending().kind, ending_kind::panicked);
    EXPECT_EQ(subject.ending().text, "the guest's kernel panicked: No working init.[31m found.");
    EXPECT_THAT(subject.ending().details, Contains("console: CPU: 0"));
    EXPECT_FALSE(subject.finished());
    EXPECT_GE(subject.elapsed(), sc_core::sc_time(100, sc_core::SC_MS));
    EXPECT_LE(subject.elapsed(), sc_core::sc_time(110, sc_core::SC_MS)) << "not the time limit";
}

TEST_F(guest_failure_test, the_words_alone_are_no_panic) {
    power_machine_config config = with_firmware();
    config.time_limit = sc_core::sc_time(200, sc_core::SC_MS);
    power_machine subject("machine", config, 1);
    print(subject, "Kernel panic - not syncing\nno Kernel panic\n");
    start(subject, {branch_to_itself});
    subject.run();
    EXPECT_EQ(subject.ending().kind, ending_kind::time_limit);
}

TEST_F(guest_failure_test, a_panic_for_want_of_memory) {
    power_machine subject("machine", with_firmware(), 1);
    print(subject, "Kernel panic - not syncing: System is deadlocked on memory\n");
    start(subject, {branch_to_itself});
    subject.run();
    EXPECT_EQ(subject.ending().kind, ending_kind::out_of_memory);
}

TEST_F(guest_failure_test, a_reboot_after_a_panic_is_a_panic_and_one_without_is_none) {
    for (const bool panic : {true, false}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine subject("machine", with_firmware(), 1);
        if (panic) {
            print(subject, "Kernel panic - not syncing: test\n");
        }
        put_rtas_call(subject, abi::rtas::system_reboot, {});
        start(subject, {li_r3_0, ori_r3_h_rtas, sc_1});
        subject.run();
        EXPECT_EQ(subject.ending().kind, panic ? ending_kind::panicked : ending_kind::stopped);
        EXPECT_EQ(subject.ending().text, panic ? "the guest's kernel panicked: test, and asked for a reboot"
                                               : "the guest asked for a reboot, which ends the run");
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(guest_failure_test, os_term_is_a_panic_with_its_text) {
    power_machine subject("machine", with_firmware(), 1);
    put(subject, block + 0x100, std::to_array("OS panic: \x1b no init"));
    put_rtas_call(subject, abi::rtas::os_term, {block + 0x100});
    start(subject, {li_r3_0, ori_r3_h_rtas, sc_1});
    subject.run();
    EXPECT_EQ(subject.ending().kind, ending_kind::panicked);
    EXPECT_EQ(subject.ending().text, "the guest's operating system gave up: OS panic: . no init");
}

// --- the watchdog

TEST_F(guest_failure_test, a_guest_without_a_sign_of_life_hangs) {
    struct row {
        std::string_view what;
        std::vector<std::uint32_t> words;
        ending_kind kind;
    };
    for (const row& each :
         {row{"computes", {branch_to_itself}, ending_kind::hung},
          row{"looks whether something is typed",
              {li_r3_h_get_term_char, sc_1, branch_back_2},
              ending_kind::hung},
          row{"asks for random numbers", {li_r3_h_random, sc_1, branch_back_2}, ending_kind::time_limit},
          row{"scans for events", {li_r3_0, ori_r3_h_rtas, sc_1, branch_back_3}, ending_kind::hung}}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine_config config = with_firmware();
        config.cpus = 2;
        config.watchdog = sc_core::sc_time(5, sc_core::SC_MS);
        config.time_limit = sc_core::sc_time(20, sc_core::SC_MS);
        power_machine subject("machine", config, 1);
        put_rtas_call(subject, abi::rtas::event_scan, {0, 0, block, 0});
        if (each.words.front() == li_r3_h_get_term_char) {
            subject.cpu(0).state().gpr[4] = abi::platform::console_termno;
        }
        put(subject, code, std::uint32_t{0});
        std::uint64_t at = code;
        for (const std::uint32_t word : each.words) {
            put(subject, at, boost::endian::native_to_little(word));
            at += sizeof word;
        }
        subject.cpu(0).state().msr |= power::msr_le;
        subject.cpu(0).state().nip = code;
        subject.cpu(0).start();
        subject.run();
        EXPECT_EQ(subject.ending().kind, each.kind) << each.what;
        EXPECT_FALSE(subject.finished());
        if (each.kind == ending_kind::hung) {
            EXPECT_EQ(subject.ending().text, "the guest hangs: no sign of life for 5.00 ms");
            EXPECT_THAT(subject.ending().details, ElementsAre(HasSubstr("cpu0 at 0x100"), "cpu1 is stopped"))
                << each.what;
        }
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(guest_failure_test, a_typed_character_that_is_taken_is_a_sign_of_life) {
    power_machine_config config = with_firmware();
    config.watchdog = sc_core::sc_time(5, sc_core::SC_MS);
    config.time_limit = sc_core::sc_time(20, sc_core::SC_MS);
    config.costs.hypercall_ns = 1'000'000;
    power_machine subject("machine", config, 1);
    subject.host().terminal().type(std::string(16 * 1000, 'x'));
    subject.cpu(0).state().gpr[31] = abi::platform::console_termno;
    constexpr std::uint32_t mr_r4_r31 = 0x7fe4'fb78;
    start(subject, {li_r3_h_get_term_char, mr_r4_r31, sc_1, branch_back_3});
    subject.run();
    EXPECT_EQ(subject.ending().kind, ending_kind::time_limit);
}

// --- where it was

class backtrace_test : public guest_failure_test {
protected:
    static constexpr std::uint64_t stack = 0x3'0000;

    /// Three frames: of cpu0's function, of its caller at +0x40, and of that one's caller at +0x100, the last.
    void put_frames(power_machine& machine) {
        put(machine, stack, order(stack + 0x40));
        put(machine, stack + 0x40, order(stack + 0x100));
        put(machine, stack + 0x40 + 16, order(code + 0x104));
        put(machine, stack + 0x100, std::uint64_t{0});
        put(machine, stack + 0x100 + 16, order(code + 0x208));
        machine.cpu(0).state().gpr[1] = stack;
    }
    std::uint64_t order(std::uint64_t value) const {
        return little ? boost::endian::native_to_little(value) : boost::endian::native_to_big(value);
    }
    std::vector<std::uint64_t> callers(power_machine& machine) {
        return backtrace(machine.cpu(0).state(), machine.memory(), machine.partition());
    }
    bool little = true;
};

TEST_F(backtrace_test, follows_the_back_chain) {
    for (const bool order_is_little : {true, false}) {
        sc_core::sc_get_curr_simcontext()->reset();
        little = order_is_little;
        power_machine subject("machine", {}, 1);
        power::registers& state = subject.cpu(0).state();
        state.msr |= little ? power::msr_le : 0;
        put_frames(subject);
        state[power::spr::lr] = code + 0x50;
        EXPECT_THAT(callers(subject), ElementsAre(code + 0x50, code + 0x104, code + 0x208));
        state[power::spr::lr] = code + 0x104;
        EXPECT_THAT(callers(subject), ElementsAre(code + 0x104, code + 0x208)) << "LR has been saved: once";
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(backtrace_test, reads_the_stack_of_who_called_firmware) {
    power_machine subject("machine", {}, 1);
    power::registers& state = subject.cpu(0).state();
    put_frames(subject);
    state.msr = power::msr_me;  // 32 bits, big-endian, as RTAS is entered
    state[power::spr::lpcr] |= power::lpcr::ile;
    state[power::spr::lr] = code + 0x104;
    EXPECT_THAT(callers(subject), ElementsAre(code + 0x104, code + 0x208));
}

TEST_F(backtrace_test, ends_where_the_chain_leads_nowhere) {
    power_machine subject("machine", {}, 1);
    power::registers& state = subject.cpu(0).state();
    state.msr |= power::msr_le;
    EXPECT_TRUE(callers(subject).empty()) << "no stack";
    put_frames(subject);
    put(subject, stack + 0x40, stack + 0x40);
    EXPECT_EQ(callers(subject).size(), 1U) << "a frame that is its own caller's";
    put(subject, stack + 0x40, stack);
    EXPECT_EQ(callers(subject).size(), 24U) << "a ring";
    put(subject, stack + 0x40, stack + 0x101);
    EXPECT_EQ(callers(subject).size(), 1U) << "not aligned";
    put(subject, stack + 0x40, std::uint64_t{1} << 40);
    EXPECT_EQ(callers(subject).size(), 1U) << "no memory";
    state.gpr[1] = stack + 8;
    EXPECT_TRUE(callers(subject).empty());
    state.gpr[1] = ~std::uint64_t{15};
    EXPECT_TRUE(callers(subject).empty());
}

TEST_F(backtrace_test, tells_a_panic_without_a_console) {
    for (const bool panics : {true, false}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_machine_config config = with_firmware();
        config.time_limit = sc_core::sc_time(300, sc_core::SC_MS);
        power_machine subject("machine", config, 1);
        power::debug::symbol_table symbols;
        symbols.add(code, 0x100, "__delay");
        symbols.add(code + 0x100, 0x100, panics ? "panic" : "panic_not");
        symbols.add(code + 0x200, 0x100, "early_setup");
        subject.name_places(symbols);
        put_frames(subject);
        subject.cpu(0).state()[power::spr::lr] = code + 0x104;
        start(subject, {branch_to_itself});
        subject.run();
        EXPECT_EQ(subject.ending().kind, panics ? ending_kind::panicked : ending_kind::time_limit);
        if (panics) {
            EXPECT_EQ(subject.ending().text,
                      "the guest's kernel panicked without a word: early_setup called panic");
            EXPECT_LE(subject.elapsed(), sc_core::sc_time(110, sc_core::SC_MS));
        }
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(backtrace_test, stands_in_the_ending_with_names) {
    power_machine_config config;
    config.watchdog = sc_core::sc_time(2, sc_core::SC_MS);
    power_machine subject("machine", config, 1);
    power::debug::symbol_table symbols;
    symbols.add(code, 0x100, "spin");
    symbols.add(code + 0x100, 0x100, "caller");
    subject.name_places(symbols);
    put_frames(subject);
    subject.cpu(0).state()[power::spr::lr] = code + 0x104;
    start(subject, {branch_to_itself});
    subject.run();
    EXPECT_THAT(subject.ending().details,
                ElementsAre("cpu0 at 0x10000 <spin>: b 0x10000", "cpu0 came there from caller+0x4, 0x10208"));
}

}  // namespace
}  // namespace pefsim::platform
