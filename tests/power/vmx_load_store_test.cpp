// SPDX-License-Identifier: Apache-2.0
//
// Loads and stores of vector registers in both byte orders (Power ISA 3.0B Book I 6.7 and 7.6.1.2): storage holds the
// bytes 00 01 02 ... at the address `data`; what is loaded stands in the tables as the ISA draws a register, byte
// element 0 first.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

#include "power/instructions/single_format.h"
#include "tests/power/flat_core.h"

namespace pefsim::power {
namespace {

constexpr std::string_view before = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf";

struct access {
    std::string_view mnemonic;
    unsigned offset = 0;  ///< of the address
    unsigned length = 0;  ///< for lxvl and its like
    std::string_view big;
    std::string_view little;
};

/// The VSR that the instruction names as number 5 here.
unsigned target_of(std::string_view mnemonic) {
    const bool names_vr = mnemonic.starts_with("lv") || mnemonic.starts_with("stv") ||
                          mnemonic.ends_with("sd") || mnemonic.ends_with("ssp");
    return names_vr ? 32 + 5 : 5;
}

/// Executes it with RT = 5 and an address in r3, however the instruction forms it.
bool execute(flat_core& machine, const access& a) {
    const bool displaced = a.mnemonic.ends_with("v") || a.mnemonic.ends_with("sd") ||
                           a.mnemonic.ends_with("ssp");
    machine.state().gpr[3] = flat_core::data + a.offset;
    machine.state().gpr[4] = std::uint64_t{a.length} << 56;
    if (displaced) {
        machine.state().gpr[3] -= 32;
        return machine.execute(assemble(a.mnemonic, {5, a.mnemonic.ends_with("v") ? 2 * 16 : 8 * 4, 3}));
    }
    const bool has_length = a.mnemonic.ends_with("vl") || a.mnemonic.ends_with("vll");
    return machine.execute(has_length ? assemble(a.mnemonic, {5, 3, 4}) : assemble(a.mnemonic, {5, 3, 6}));
}

void fill(flat_core& machine) {
    std::iota(machine.storage().begin(), machine.storage().end(), std::uint8_t{0});
    machine.state().vsr[target_of("lvx")] = vector_from(before);
    machine.state().vsr[target_of("lxvx")] = vector_from(before);
    machine.state().gpr[6] = 0;
}

constexpr access loads[] = {
    // A quadword; VMX ignores the low-order bits of the address, VSX does not.
    {"lvx", 0x10, 0, "101112131415161718191a1b1c1d1e1f", "1f1e1d1c1b1a19181716151413121110"},
    {"lvx", 0x1f, 0, "101112131415161718191a1b1c1d1e1f", "1f1e1d1c1b1a19181716151413121110"},
    {"lvxl", 0x13, 0, "101112131415161718191a1b1c1d1e1f", "1f1e1d1c1b1a19181716151413121110"},
    {"lxv", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "2221201f1e1d1c1b1a19181716151413"},
    {"lxvx", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "2221201f1e1d1c1b1a19181716151413"},
    {"lxvx", 0xff9, 0, "f9fafbfcfdfeff000102030405060708", "080706050403020100fffefdfcfbfaf9"},
    // One element, at its place in the quadword
    {"lvebx", 0x13, 0, "a0a1a213a4a5a6a7a8a9aaabacadaeaf", "a0a1a2a3a4a5a6a7a8a9aaab13adaeaf"},
    {"lvehx", 0x13, 0, "a0a11213a4a5a6a7a8a9aaabacadaeaf", "a0a1a2a3a4a5a6a7a8a9aaab1312aeaf"},
    {"lvewx", 0x17, 0, "a0a1a2a314151617a8a9aaabacadaeaf", "a0a1a2a3a4a5a6a717161514acadaeaf"},
    // Elements from the lowest address on
    {"lxvd2x", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "1a191817161514132221201f1e1d1c1b"},
    {"lxvw4x", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "161514131a1918171e1d1c1b2221201f"},
    {"lxvh8x", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "1413161518171a191c1b1e1d201f2221"},
    {"lxvb16x", 0x13, 0, "131415161718191a1b1c1d1e1f202122", "131415161718191a1b1c1d1e1f202122"},
    {"lxvw4x", 0xffe, 0, "feff000102030405060708090a0b0c0d", "0100fffe05040302090807060d0c0b0a"},
    {"lxvdsx", 0x13, 0, "131415161718191a131415161718191a", "1a191817161514131a19181716151413"},
    {"lxvwsx", 0x13, 0, "13141516131415161314151613141516", "16151413161514131615141316151413"},
    // As many bytes as RB says
    {"lxvl", 0x13, 0, "00000000000000000000000000000000", "00000000000000000000000000000000"},
    {"lxvl", 0x13, 5, "13141516170000000000000000000000", "00000000000000000000001716151413"},
    {"lxvl", 0x13, 16, "131415161718191a1b1c1d1e1f202122", "2221201f1e1d1c1b1a19181716151413"},
    {"lxvl", 0x13, 200, "131415161718191a1b1c1d1e1f202122", "2221201f1e1d1c1b1a19181716151413"},
    {"lxvl", 0xffd, 7, "fdfeff00010203000000000000000000", "00000000000000000003020100fffefd"},
    {"lxvll", 0x13, 5, "13141516170000000000000000000000", "13141516170000000000000000000000"},
    {"lxvll", 0x13, 16, "131415161718191a1b1c1d1e1f202122", "131415161718191a1b1c1d1e1f202122"},
    // Scalars
    {"lxsdx", 0x13, 0, "131415161718191a0000000000000000", "1a191817161514130000000000000000"},
    {"lxsd", 0x13, 0, "131415161718191a0000000000000000", "1a191817161514130000000000000000"},
    {"lxsiwzx", 0x93, 0, "00000000939495960000000000000000", "00000000969594930000000000000000"},
    {"lxsiwax", 0x93, 0, "ffffffff939495960000000000000000", "ffffffff969594930000000000000000"},
    {"lxsihzx", 0x93, 0, "00000000000093940000000000000000", "00000000000094930000000000000000"},
    {"lxsibzx", 0x93, 0, "00000000000000930000000000000000", "00000000000000930000000000000000"},
    {"lxsspx", 0x3f, 0, "3fe80828400000000000000000000000", "40482807e00000000000000000000000"},
    {"lxssp", 0x3f, 0, "3fe80828400000000000000000000000", "40482807e00000000000000000000000"},
};

TEST(vmx_load_store, loads_in_both_byte_orders) {
    for (const access& each : loads) {
        for (const bool little : {false, true}) {
            flat_core machine(little);
            fill(machine);
            ASSERT_TRUE(execute(machine, each)) << each.mnemonic;
            EXPECT_EQ(hex_of(machine.state().vsr[target_of(each.mnemonic)]), little ? each.little : each.big)
                << each.mnemonic << " at " << each.offset << (little ? " little-endian" : " big-endian");
        }
    }
}

TEST(vmx_load_store, stores_put_back_what_loads_bring) {
    struct pair {
        std::string_view load;
        std::string_view store;
        std::size_t size = 16;  ///< 0: each.length
    };
    constexpr pair pairs[] = {
        {"lvx", "stvx"},           {"lvxl", "stvxl"},         {"lxv", "stxv"},
        {"lxvx", "stxvx"},         {"lvebx", "stvebx", 1},    {"lvehx", "stvehx", 2},
        {"lvewx", "stvewx", 4},    {"lxvd2x", "stxvd2x"},     {"lxvw4x", "stxvw4x"},
        {"lxvh8x", "stxvh8x"},     {"lxvb16x", "stxvb16x"},   {"lxvl", "stxvl", 0},
        {"lxvll", "stxvll", 0},    {"lxsdx", "stxsdx", 8},    {"lxsd", "stxsd", 8},
        {"lxsiwzx", "stxsiwx", 4}, {"lxsihzx", "stxsihx", 2}, {"lxsibzx", "stxsibx", 1},
        {"lxsspx", "stxsspx", 4},  {"lxssp", "stxssp", 4},
    };
    for (const access& each : loads) {
        for (const auto& [load, store, size_of_pair] : pairs) {
            if (load != each.mnemonic) {
                continue;
            }
            for (const bool little : {false, true}) {
                flat_core machine(little);
                fill(machine);
                const std::vector<std::uint8_t> original(machine.storage().begin(), machine.storage().end());
                ASSERT_TRUE(execute(machine, each)) << load;
                std::ranges::fill(machine.storage(), std::uint8_t{0xee});
                access back = each;
                back.mnemonic = store;
                ASSERT_TRUE(execute(machine, back)) << store;
                std::size_t written = 0;
                for (std::size_t i = 0; i < original.size(); ++i) {
                    if (machine.storage()[i] != 0xee) {
                        ++written;
                        EXPECT_EQ(machine.storage()[i], original[i]) << store << " byte " << i;
                    }
                }
                const std::size_t size = size_of_pair != 0 ? size_of_pair
                                                           : std::min<std::size_t>(each.length, 16);
                EXPECT_EQ(written, size) << store << (little ? " little-endian" : " big-endian");
            }
        }
    }
}

TEST(vmx_load_store, an_access_into_nowhere_changes_nothing) {
    for (const std::string_view mnemonic :
         {"lxvx", "lxvd2x", "lxvb16x", "lxvl", "lxvll", "stxvx", "stxvw4x", "stxvl", "stxvll"}) {
        for (const bool little : {false, true}) {
            flat_core machine(little);
            fill(machine);
            const std::vector<std::uint8_t> original(machine.storage().begin(), machine.storage().end());
            const unsigned offset = flat_core::data_size - 7;
            EXPECT_FALSE(execute(machine, {mnemonic, offset, 16, "", ""})) << mnemonic;
            EXPECT_EQ(machine.cause().which, vector::data_storage);
            EXPECT_EQ(machine.cause().dar, flat_core::data + flat_core::data_size);
            EXPECT_EQ(hex_of(machine.state().vsr[target_of(mnemonic)]), before) << mnemonic;
            EXPECT_TRUE(std::ranges::equal(machine.storage(), original)) << mnemonic;
            EXPECT_EQ(machine.state().nip, flat_core::code);
        }
    }
}

TEST(vmx_load_store, no_bytes_are_no_access) {
    for (const std::string_view mnemonic : {"lxvl", "lxvll", "stxvl", "stxvll"}) {
        flat_core machine;
        fill(machine);
        EXPECT_TRUE(execute(machine, {mnemonic, 0x9000'0000, 0, "", ""})) << mnemonic;
    }
}

TEST(vmx_load_store, an_address_has_32_bits_in_32_bit_mode) {
    flat_core machine;
    fill(machine);
    machine.state().msr &= ~msr_sf;
    machine.core().msr_changed();
    machine.state().gpr[3] = 0xffff'ffff'0000'0000 + flat_core::data;
    ASSERT_TRUE(machine.execute(assemble("lvx", {5, 3, 6})));
    EXPECT_EQ(hex_of(machine.state().vsr[37]), "0f0e0d0c0b0a09080706050403020100");
}

TEST(vmx_load_store, lvsl_and_lvsr_do_not_depend_on_the_byte_order) {
    for (const bool little : {false, true}) {
        flat_core machine(little);
        machine.state().gpr[3] = 0x1234'5673;
        ASSERT_TRUE(machine.execute(assemble("lvsl", {5, 0, 3})));
        EXPECT_EQ(hex_of(machine.state().vsr[37]), "030405060708090a0b0c0d0e0f101112");
        ASSERT_TRUE(machine.execute(assemble("lvsr", {5, 0, 3})));
        EXPECT_EQ(hex_of(machine.state().vsr[37]), "0d0e0f101112131415161718191a1b1c");
    }
}

TEST(vmx_load_store, numbers_in_single_format_keep_their_value) {
    struct number {
        std::uint32_t single = 0;
        std::uint64_t in_register = 0;
    };
    constexpr number numbers[] = {
        {0x0000'0000, 0x0000'0000'0000'0000}, {0x8000'0000, 0x8000'0000'0000'0000},
        {0x3f80'0000, 0x3ff0'0000'0000'0000}, {0xff80'0000, 0xfff0'0000'0000'0000},
        {0x7f80'0001, 0x7ff0'0000'2000'0000}, {0xffc0'1234, 0xfff8'0246'8000'0000},
        {0x0000'0001, 0x36a0'0000'0000'0000}, {0x8040'0000, 0xb800'0000'0000'0000},
        {0x007f'ffff, 0x380f'ffff'c000'0000}, {0x0080'0000, 0x3810'0000'0000'0000},
        {0x7f7f'ffff, 0x47ef'ffff'e000'0000},
    };
    for (const number& each : numbers) {
        EXPECT_EQ(isa::double_of_single(each.single), each.in_register) << std::hex << each.single;
        EXPECT_EQ(isa::single_of_double(each.in_register), each.single) << std::hex << each.in_register;
    }
}

}  // namespace
}  // namespace pefsim::power
