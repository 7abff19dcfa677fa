// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include "power/translator/region_translator.h"
#include "tests/power/privileged/engine_bench.h"

namespace pefsim::testing {
namespace {

/// Behind RAM stands a device that fails at its fifth access.
class failing_device : public flat_memory {
public:
    outcome read(std::uint64_t /*real*/, std::span<std::byte> to, power::access_kind /*kind*/) override {
        if (++accesses == 5) {
            throw std::runtime_error("the device has failed");
        }
        std::fill(to.begin(), to.end(), std::byte{0});
        return outcome::done;
    }
    int accesses = 0;
};

/// Where core::run() keeps something while it executes.
std::string run_and_tell(power::core& core) {
    const std::string before = "an exception's way leads past what keeps this";
    try {
        core.run(100'000);
    } catch (const std::runtime_error& failure) {
        return before + ": " + failure.what();
    }
    return "nothing happened";
}

}  // namespace

TEST(translator_exceptions, get_past_translated_code) {
    failing_device memory;
    power::mmu::partition partition;
    power::mmu::radix_translator mmu(memory, partition, nullptr);
    power::core core(power::isa::power9_decoder(), mmu, memory);
    power::region_translator::options how;
    how.threshold = 0;
    how.interval = 100;
    power::region_translator translator(core, how);
    core.state.msr = power::msr_sf | power::msr_le | power::msr_ri | power::msr_me;
    constexpr std::uint64_t code = 0x10000;
    program loop;
    loop("addi", {10, 0, 1000})("mtspr", {spr_number::ctr, 10});
    loop("addi", {11, 11, 1})("bc", {16, 0, -4});  // until it is translated
    loop("addi", {10, 0, 100})("mtspr", {spr_number::ctr, 10});
    loop("lwz", {5, 0, 9})("add", {6, 6, 5})("bc", {16, 0, -8})("attn");
    memory.put(code, loop);
    core.state.nip = code;
    core.state.gpr[9] = flat_memory::size;
    core.msr_changed();
    EXPECT_EQ(run_and_tell(core), "an exception's way leads past what keeps this: the device has failed");
    EXPECT_EQ(memory.accesses, 5);
    EXPECT_EQ(core.state.gpr[11], 1000U);
    EXPECT_GT(translator.counters().regions, 0U);
    EXPECT_EQ(translator.counters().running.slow_accesses, 5U);
}

}  // namespace pefsim::testing
