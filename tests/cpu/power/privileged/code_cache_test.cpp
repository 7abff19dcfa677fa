// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>

#include "cpu/power/engine/core.h"
#include "tests/cpu/power/privileged/assembler.h"

/// Decoded code in great numbers.
namespace pefsim::testing {
namespace {

namespace power = cpu::power;

/// Storage without end that has the same granule everywhere: a branch to the next one.
struct endless_storage : power::translator, power::real_storage {
    alignas(power::granule) std::array<std::byte, power::granule> bytes{};

    endless_storage() {
        const std::uint32_t word = assemble("b", {power::granule});
        std::memcpy(bytes.data(), &word, sizeof word);
    }
    power::translation translate(const cpu::registers& /*state*/, std::uint64_t ea,
                                 power::access_kind /*kind*/) override {
        return {.real = ea};
    }
    std::byte* direct(std::uint64_t /*real*/, power::access_kind /*kind*/) override { return bytes.data(); }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, power::access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }
};

/// A guest that executes one word of every granule must not fill the host's memory with decoded code.
TEST(code_cache, is_dropped_when_it_is_full) {
    endless_storage storage;
    power::core core(storage, storage);
    core.state.msr = cpu::msr_sf | cpu::msr_le;
    core.state.nip = 0;
    core.msr_changed();
    constexpr std::uint64_t granules = 20'000;
    while (core.instructions() < granules) {
        ASSERT_EQ(core.run(1000), power::exit_reason::paused);
    }
    EXPECT_EQ(core.state.nip, core.instructions() * power::granule);
    EXPECT_EQ(core.state[cpu::spr::cfar], core.state.nip - power::granule);
    EXPECT_EQ(core.counters().flushes, 1U);
    EXPECT_EQ(core.counters().decoded, core.instructions());
}

}  // namespace
}  // namespace pefsim::testing
