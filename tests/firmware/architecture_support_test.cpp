// SPDX-License-Identifier: Apache-2.0
//
// ibm,client-architecture-support (PAPR 2.8, B.6.2.3), with a vector as Linux passes it
// (arch/powerpc/kernel/prom_init.c).
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

constexpr std::uint32_t failure = 0xffff'ffff;

struct version {
    std::uint32_t mask;
    std::uint32_t value;
};
/// What Linux 6.1 can run on, the last pair with a bit outside its mask.
const std::vector<version> linux_versions{
    {0xfffe'0000, 0x003a'0000},  // POWER5, POWER5+
    {0xffff'0000, 0x003e'0000},  // POWER6
    {0xffff'0000, 0x003f'0000},  // POWER7
    {0xffff'0000, 0x004b'0000},  // POWER8E
    {0xffff'0000, 0x004c'0000},  // POWER8NVL
    {0xffff'0000, 0x004d'0000},  // POWER8
    {0xffff'0000, 0x004e'0000},  // POWER9
    {0xffff'0000, 0x0080'0000},  // POWER10
    {0xffff'ffff, 0x0f00'0006},  // architecture levels 3.1 ...
    {0xffff'ffff, 0x0f00'0005}, {0xffff'ffff, 0x0f00'0004}, {0xffff'ffff, 0x0f00'0003},
    {0xffff'ffff, 0x0f00'0002}, {0xffff'fffe, 0x0f00'0001},  // ... and 2.04 and all before it
};

class architecture_support_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t vector_at = firmware_bench::buffer_at;

    void put(const std::vector<version>& versions, std::uint32_t at = vector_at) {
        words pairs;
        for (const version& each : versions) {
            pairs.insert(pairs.end(), {each.mask, each.value});
        }
        bench.put_words(at, pairs);
        constexpr std::string_view options("\x05"      // number of option vectors less one
                                           "\x00\x80"  // 1: length less one, bytes
                                           "\x00\x00"  // 2
                                           "\x00\xc0"  // 3
                                           "\x01\x80\x00"
                                           "\x03\x80\x80\x01\x00"
                                           "\x00\x00",
                                           17);
        const std::uint64_t behind = at + 8 * versions.size();
        if (behind + options.size() <= firmware_bench::default_ram) {
            bench.put(behind, options);
        }
    }
    /// Catch-result, and what the method returns.
    words support(std::uint32_t at = vector_at) {
        const std::uint32_t root = bench.ask("open", {"/"});
        return bench.client("call-method", {"ibm,client-architecture-support", root, at}, 2).results;
    }
    std::optional<std::vector<unsigned>> chosen() {
        const device_tree::property* vector = bench.subject->tree().find("/chosen")->find(
            "ibm,architecture-vec-5");
        if (vector == nullptr) {
            return std::nullopt;
        }
        std::vector<unsigned> bytes;
        std::ranges::transform(vector->value, std::back_inserter(bytes),
                               [](std::byte each) { return std::to_integer<unsigned>(each); });
        return bytes;
    }

    firmware_bench bench;
};

TEST_F(architecture_support_test, linuxs_own_vector_is_supported_and_told_what_was_chosen) {
    EXPECT_FALSE(chosen());
    put(linux_versions);
    EXPECT_EQ(support(), (words{0, 0}));
    ASSERT_TRUE(chosen());
    const std::vector<unsigned> bytes = chosen().value();
    // As Linux reads it: byte 0 is the number of those that follow less one.
    ASSERT_EQ(bytes[0], bytes.size() - 2);
    EXPECT_EQ(bytes.at(2) & 0xc0, 0xc0U) << "a logical partition, of shared processors";
    EXPECT_EQ(bytes.at(23), 0U) << "XICS";
    EXPECT_EQ(bytes.at(24) & 0xc0, 0x40U) << "radix translation";
    EXPECT_EQ(bytes.at(26) & 0x40, 0x40U) << "the guest invalidates by itself";
}

TEST_F(architecture_support_test, one_version_that_fits_is_enough) {
    for (const version& each : {version{0xffff'0000, 0x004e'0000}, version{0xffff'ffff, 0x0f00'0005},
                                version{0xffff'ffff, 0x004e'1202}, version{0, 0}}) {
        put({each, {0, 1}});
        EXPECT_EQ(support()[0], 0U) << each.value;
    }
}

TEST_F(architecture_support_test, a_vector_without_this_processor_is_refused) {
    put({{0xffff'0000, 0x004d'0000}, {0xffff'ffff, 0x0f00'0006}, {0xffff'fffe, 0x0f00'0001}});
    EXPECT_EQ(support()[0], failure);
    put({{0, 1}, {0xffff'0000, 0x004e'0000}});
    EXPECT_EQ(support()[0], failure) << "the list has ended before it";
    EXPECT_FALSE(chosen());
}

TEST_F(architecture_support_test, a_vector_that_cannot_be_read_is_refused) {
    constexpr std::uint32_t end = firmware_bench::default_ram;
    for (const std::uint32_t at : {0xffff'ff00U, 0xffff'fffcU, end, end - 4}) {
        EXPECT_EQ(support(at)[0], failure) << at;
    }
    put({{0xffff'0000, 0x004e'0000}}, end - 8);
    EXPECT_EQ(support(end - 8)[0], failure) << "memory ends before the list does";
    put({{0, 1}}, end - 8);
    EXPECT_EQ(support(end - 8)[0], failure);
    // A list without an end: memory of zeros names every processor, and goes on.
    EXPECT_EQ(support(0x20'0000)[0], failure);
    EXPECT_FALSE(chosen());
}

TEST_F(architecture_support_test, the_method_needs_its_argument_and_belongs_to_the_root) {
    put(linux_versions);
    const std::uint32_t root = bench.ask("open", {"/"});
    const std::uint32_t cpus = bench.ask("open", {"/cpus"});
    EXPECT_EQ(bench.client("call-method", {"ibm,client-architecture-support", root}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"ibm,client-architecture-support", cpus, vector_at}, 2).results[0],
              failure);
    EXPECT_EQ(bench.client("call-method", {"ibm,client-architecture-support", 0, vector_at}, 2).results[0],
              failure);
    EXPECT_FALSE(chosen());
    EXPECT_EQ(bench.client("call-method", {"ibm,client-architecture-support", root, vector_at}, 1).results[0],
              0U)
        << "without room for what it returns";
}

TEST_F(architecture_support_test, a_flat_tree_says_from_the_beginning_what_is_chosen) {
    bench.subject->flatten(bench.controllers);
    EXPECT_TRUE(chosen());
}

}  // namespace
}  // namespace pefsim::firmware
