// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "power/instructions/power9_decoder.h"
#include "tests/power/privileged/engine_bench.h"

/// Instructions that need storage which caches may hold: Power ISA 3.0B Book III 6.5.3 (DSISR bit 37) and 6.5.8.
namespace pefsim::testing {
namespace {

using namespace power;
using power::vector;

constexpr std::uint64_t inhibited_from = 0x80000;
constexpr std::uint64_t code = 0x10000;
constexpr std::uint32_t unsuitable = 0x0400'0000;
constexpr std::uint32_t to_store = 0x0200'0000;

/// Addresses are real ones; the upper half of storage is caching-inhibited.
struct half_inhibited : power::translator {
    power::translation translate(const registers& /*state*/, std::uint64_t ea,
                                 power::access_kind /*kind*/) override {
        return {.real = ea, .inhibited = ea >= inhibited_from};
    }
};

struct bench {
    flat_memory memory;
    half_inhibited addresses;
    power::core core{power::isa::power9_decoder(), addresses, memory};

    bench() {
        core.interrupts_leave(true);
        core.state.msr = msr_sf | msr_le | msr_ri;
        core.msr_changed();
    }
    /// Executes one instruction with the address in r4; true: no interrupt.
    bool execute(std::uint32_t word, std::uint64_t at) {
        memory.put(code, std::vector{word});
        core.forget_real(code);
        core.state.nip = code;
        core.state.gpr[4] = at;
        return core.step() == power::exit_reason::paused;
    }
};

struct row {
    std::string_view mnemonic;
    std::initializer_list<std::int64_t> operands;
    vector which;
    std::uint32_t dsisr;
};
const row rows[] = {
    {"dcbz", {0, 4}, vector::alignment, 0},
    {"copy", {0, 4}, vector::data_storage, unsuitable},
    {"paste.", {0, 4}, vector::data_storage, unsuitable | to_store},
    {"lbarx", {6, 0, 4, 0}, vector::data_storage, unsuitable},
    {"lharx", {6, 0, 4, 0}, vector::data_storage, unsuitable},
    {"lwarx", {6, 0, 4, 0}, vector::data_storage, unsuitable},
    {"ldarx", {6, 0, 4, 0}, vector::data_storage, unsuitable},
    {"lqarx", {6, 0, 4, 0}, vector::data_storage, unsuitable},
    {"lwat", {6, 4, 0}, vector::data_storage, unsuitable},
    {"ldat", {6, 4, 0}, vector::data_storage, unsuitable},
    {"stwat", {6, 4, 0}, vector::data_storage, unsuitable | to_store},
    {"stdat", {6, 4, 0}, vector::data_storage, unsuitable | to_store},
    {"lq", {6, 0, 4}, vector::data_storage, unsuitable},
    {"stq", {6, 0, 4}, vector::data_storage, unsuitable | to_store},
};

TEST(caching_inhibited, what_needs_caches_is_refused_there) {
    for (const row& each : rows) {
        SCOPED_TRACE(each.mnemonic);
        bench b;
        const std::uint32_t word = assemble(each.mnemonic, each.operands);
        EXPECT_TRUE(b.execute(word, inhibited_from - 0x1000));
        ASSERT_FALSE(b.execute(word, inhibited_from + 0x1000));
        const power::interrupt_cause& cause = b.core.interrupt();
        EXPECT_EQ(cause.which, each.which);
        EXPECT_EQ(cause.dar, inhibited_from + 0x1000);
        EXPECT_EQ(cause.dsisr, each.dsisr);
        EXPECT_EQ(b.core.state.gpr[6], 0U);
    }
}

TEST(caching_inhibited, what_does_not_is_served) {
    bench b;
    EXPECT_TRUE(b.execute(assemble("std", {5, 0, 4}), inhibited_from));
    EXPECT_TRUE(b.execute(assemble("ld", {6, 0, 4}), inhibited_from));
    EXPECT_TRUE(b.execute(assemble("dcbf", {0, 4, 0}), inhibited_from));
    ASSERT_FALSE(b.execute(assemble("ld", {6, 4, 4}), inhibited_from));  // not aligned
    EXPECT_EQ(b.core.interrupt().which, vector::alignment);
}

}  // namespace
}  // namespace pefsim::testing
