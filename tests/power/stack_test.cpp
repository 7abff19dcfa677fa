// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <pthread.h>
#include <string>
#include <unistd.h>

#include "power/instructions/instruction_table.h"
#include "tests/power/encodings.h"
#include "tests/power/flat_core.h"

/// Handlers call each other: each must leave nothing on the stack, or a guest's loop runs out of it.
namespace pefsim::power {
namespace {

constexpr std::size_t stack_size = std::size_t{256}
                                   << 10;  // of 20,000 instructions: 13 bytes for each would be too much
constexpr std::int64_t loop_instructions = 20'000;
constexpr unsigned words_of_a_row = 4;

const char* running = "";  // for the handler

extern "C" void tell_row(int /*signal*/) {
    for (const char* text : {"the stack ran out in a loop of ", running, "\n"}) {
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
    }
    ::_exit(1);
}

/// A loop of the instruction and a branch to it. \returns whether it went on to the end
bool loops(flat_core& machine, std::uint32_t word) {
    const std::array<std::uint32_t, 2> code{word, 0x4bff'fffc};  // b .-4
    std::memcpy(machine.storage().data(), code.data(), sizeof code);
    machine.core().forget_real(flat_core::data);
    registers& state = machine.state();
    for (std::size_t n = 0; n < 32; ++n) {
        state.gpr[n] = n % 2 == 0 ? flat_core::data + small_page + 0x100 : 0;
    }
    state.msr |= msr_fp | msr_vec | msr_vsx;
    state.nip = flat_core::data;
    machine.core().msr_changed();
    return machine.core().run(loop_instructions) == exit_reason::paused;
}

void* loop_every_row(void* count) {
    alignas(16) static std::array<char, 1 << 16> signal_stack;
    const stack_t alternative{.ss_sp = signal_stack.data(), .ss_flags = 0, .ss_size = signal_stack.size()};
    stack_t before{};
    ::sigaltstack(&alternative, &before);
    isa::encodings random(1);
    const auto machine = std::make_unique<flat_core>();
    for (const isa::instruction& row : isa::instructions()) {
        const std::string name(row.mnemonic);
        running = name.c_str();
        bool looped = false;
        for (unsigned n = 0; n < words_of_a_row; ++n) {
            looped = loops(*machine, random.of(row)) || looped;
        }
        *static_cast<unsigned*>(count) += looped ? 1 : 0;
    }
    ::sigaltstack(&before, nullptr);
    return nullptr;
}

TEST(stack, does_not_grow_with_the_instructions_of_a_loop) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = tell_row;
    action.sa_flags = SA_ONSTACK;
    ::sigaction(SIGSEGV, &action, &before);
    pthread_attr_t small;
    ASSERT_EQ(::pthread_attr_init(&small), 0);
    ASSERT_EQ(::pthread_attr_setstacksize(&small, stack_size), 0);
    pthread_t thread{};
    unsigned rows = 0;
    ASSERT_EQ(::pthread_create(&thread, &small, loop_every_row, &rows), 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&small);
    ::sigaction(SIGSEGV, &before, nullptr);
    EXPECT_GT(rows, isa::instructions().size() * 3 / 4) << "rows that could be executed in a loop";
}

}  // namespace
}  // namespace pefsim::power
