// SPDX-License-Identifier: Apache-2.0
#include "esm/measurements.h"

#include <cstring>
#include <gtest/gtest.h>

#include "tests/esm/image.h"

namespace pefsim::esm {
namespace {

using testing::bytes_from;

// svm_tool/esm_digest/rtas_sha512.py of open-power/svm-tools: of SLOF's RTAS.
TEST(measurements_test, rtas_is_what_svm_tool_knows_it_as) {
    EXPECT_EQ(hex(digest_of(rtas_code())),
              "189698638580422ea58a0968ecce2436daeb2c91a339c14b0ab2bc623c1649fe"
              "274074a4a92679dc61e5528d68778ba3c82f1b1f7e9a5958238b80497fc37f48");
}

// FIPS 180-4's example for SHA-512, and that of no bytes.
TEST(measurements_test, of_image_parts) {
    const measurements of = measure(bytes_from("abc"), {}, "abc");
    EXPECT_EQ(of.kernel_size, 3U);
    EXPECT_EQ(of.kernel, of.bootargs);
    EXPECT_EQ(hex(of.kernel), "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    EXPECT_EQ(hex(of.initrd), "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                              "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
}

/// An ELF64 file with two segments: at 0x1000 eight bytes in the file and 16 in memory, at 0x1010 four in both.
power::elf_image two_segments() {
    std::vector<std::byte> file(0x200);
    const auto put = [&](std::size_t at, auto value) { std::memcpy(file.data() + at, &value, sizeof value); };
    const unsigned char ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    std::memcpy(file.data(), ident, sizeof ident);
    put(16, std::uint16_t{2});
    put(18, std::uint16_t{21});
    put(20, std::uint32_t{1});
    put(24, std::uint64_t{0x1000});
    put(32, std::uint64_t{64});
    put(48, std::uint32_t{2});
    put(52, std::uint16_t{64});
    put(54, std::uint16_t{56});
    put(56, std::uint16_t{2});
    put(58, std::uint16_t{64});
    const auto segment = [&](std::size_t at, std::uint64_t from, std::uint64_t to, std::uint64_t in_file,
                             std::uint64_t in_memory) {
        put(at, std::uint32_t{1});
        put(at + 4, std::uint32_t{7});
        put(at + 8, from);
        put(at + 16, to);
        put(at + 24, to);
        put(at + 32, in_file);
        put(at + 40, in_memory);
        put(at + 48, std::uint64_t{1});
    };
    segment(64, 0x100, 0x1000, 8, 16);
    segment(120, 0x180, 0x1010, 4, 0x100);
    std::memcpy(file.data() + 0x100, "11111111", 8);
    std::memcpy(file.data() + 0x180, "2222", 4);
    return power::elf_image(std::move(file));
}

TEST(measurements_test, a_kernel_ends_with_the_last_byte_of_its_file) {
    EXPECT_EQ(image_as_loaded(two_segments()), bytes_from({"11111111\0\0\0\0\0\0\0\0"
                                                           "2222",
                                                           20}));
}

}  // namespace
}  // namespace pefsim::esm
