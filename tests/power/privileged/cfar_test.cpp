// SPDX-License-Identifier: Apache-2.0
#include "tests/power/privileged/engine_bench.h"

/// CFAR: the taken branch, or return from an interrupt, that was executed last (Power ISA 3.0B Book III 9.2).
namespace pefsim::testing {
namespace {

using namespace power;

constexpr int cfar = 28;
constexpr std::uint64_t code = engine_bench::code;

TEST(cfar, is_the_last_taken_branch) {
    for (const bool stepped : {false, true}) {
        engine_bench bench;
        program p;
        p("mfspr", {3, cfar});                                            // 00
        p("b", {8})("addi", {9, 0, 1});                                   // 04, 08
        p("mfspr", {4, cfar});                                            // 0c: of the near branch
        p("bc", {12, 2, 8});                                              // 10: not taken, CR is 0
        p("mfspr", {5, cfar});                                            // 14
        p("bc", {4, 2, 8})("addi", {9, 0, 2});                            // 18, 1c: taken
        p("mfspr", {6, cfar});                                            // 20
        p("addi", {7, 0, 0x77})("mtspr", {cfar, 7})("mfspr", {7, cfar});  // 24, 28, 2c
        p("b", {0x2000});                                                 // 30: far
        bench.memory.put(code, p);
        program far;
        far("mfspr", {8, cfar})("b", {0});
        bench.memory.put(code + 0x2030, far);
        bench.core.state[spr::cfar] = 0x1234;
        if (stepped) {
            for (int i = 0; i < 13; ++i) {
                bench.core.step();
            }
        } else {
            bench.core.run(12);
        }
        EXPECT_EQ(bench.core.state.gpr[3], 0x1234U);
        EXPECT_EQ(bench.core.state.gpr[4], code + 0x04);
        EXPECT_EQ(bench.core.state.gpr[5], code + 0x04);
        EXPECT_EQ(bench.core.state.gpr[6], code + 0x18);
        EXPECT_EQ(bench.core.state.gpr[7], 0x77U);
        EXPECT_EQ(bench.core.state.gpr[8], code + 0x30);
        EXPECT_EQ(bench.core.state[spr::cfar], code + 0x2034);
        EXPECT_EQ(bench.core.state.gpr[9], 0U);
    }
}

TEST(cfar, survives_an_interrupt_and_is_set_by_the_return) {
    engine_bench bench;
    program p;
    p("b", {4})("tw", {31, 0, 0});  // 00, 04
    bench.memory.put(code, p);
    program handler;
    handler("mfspr", {3, cfar})("mfspr", {4, spr_number::srr0})("addi", {4, 4, 4});
    handler("mtspr", {spr_number::srr0, 4})("rfid");
    bench.memory.put(0x700, handler);
    bench.memory.put(code + 8, program()("mfspr", {5, cfar})("b", {0}));
    bench.core.run(9);
    EXPECT_EQ(bench.core.state.gpr[3], code);
    EXPECT_EQ(bench.core.state.gpr[5], 0x710U);
}

}  // namespace
}  // namespace pefsim::testing
