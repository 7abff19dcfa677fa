// SPDX-License-Identifier: Apache-2.0
#include "pci/config_space.h"

#include <array>
#include <gtest/gtest.h>
#include <stdexcept>

namespace pefsim::pci {
namespace {

namespace layout = abi::pci;

TEST(config_space_test, registers_are_little_endian) {
    config_space space;
    space.set(0x10, 4, 0x1122'3344);
    EXPECT_EQ(space.load(0x10, 1), 0x44U);
    EXPECT_EQ(space.load(0x12, 2), 0x1122U);
    EXPECT_EQ(space.load(0x10, 4), 0x1122'3344U);
}

TEST(config_space_test, software_changes_writable_bits_only) {
    config_space space;
    space.set(0x40, 4, 0xff00'ff00);
    space.set_writable(0x40, 4, 0x00ff'00f0);
    space.write(0x40, 4, 0x1234'5678);
    EXPECT_EQ(space.load(0x40, 4), 0xff34'ff70U);
    space.write(0x42, 1, 0x99);
    EXPECT_EQ(space.load(0x40, 4), 0xff99'ff70U);
}

TEST(config_space_test, beyond_byte_255_nothing_stands) {
    config_space space;
    space.write(0x100, 4, ~0U);
    space.write(0xffc, 4, ~0U);
    EXPECT_EQ(space.load(0x100, 4), 0U);
    EXPECT_EQ(space.load(0xffc, 4), 0U);
}

TEST(config_space_test, what_crosses_byte_255_has_the_bytes_before_it_only) {
    config_space space;
    // Neither what is there, nor that it is writable, begins anew behind the end.
    space.set(0, 4, 0x0102'0304);
    space.set_writable(0, 4, ~0U);
    space.set_writable(0xfc, 4, ~0U);
    space.write(0xfc, 4, 0x1122'3344);
    space.write(0xfe, 4, 0xaabb'ccdd);
    EXPECT_EQ(space.load(0xfc, 4), 0xccdd'3344U);
    EXPECT_EQ(space.load(0xfe, 4), 0xccddU);
    EXPECT_EQ(space.load(0xff, 4), 0xccU);
    EXPECT_EQ(space.load(0x100, 4), 0U);
    EXPECT_EQ(space.load(0x100, 1), 0U);
    EXPECT_EQ(space.load(0, 4), 0x0102'0304U);
}

TEST(config_space_test, a_bar_answers_the_sizing_protocol) {
    struct row {
        std::uint64_t size;
        std::uint32_t low;
        std::uint32_t high;
    };
    const row rows[] = {{0x10, 0xffff'fff4, 0xffff'ffff},
                        {0x1000, 0xffff'f004, 0xffff'ffff},
                        {std::uint64_t{1} << 31, 0x8000'0004, 0xffff'ffff},
                        {std::uint64_t{1} << 32, 0x0000'0004, 0xffff'ffff},
                        {std::uint64_t{1} << 34, 0x0000'0004, 0xffff'fffc}};
    for (const row& each : rows) {
        config_space space;
        space.add_memory_bar(2, each.size);
        space.write(layout::base_address_register(2), 4, ~0U);
        space.write(layout::base_address_register(3), 4, ~0U);
        EXPECT_EQ(space.load(layout::base_address_register(2), 4), each.low) << each.size;
        EXPECT_EQ(space.load(layout::base_address_register(3), 4), each.high) << each.size;
        space.write(layout::base_address_register(2), 4, 0);
        space.write(layout::base_address_register(3), 4, 0x100);
        EXPECT_EQ(space.bar_address(2), (std::uint64_t{0x100} << 32) & ~(each.size - 1)) << each.size;
    }
}

TEST(config_space_test, neighbouring_bars_keep_to_their_own_registers) {
    const std::uint64_t addresses[] = {0x1122'3344'5566'7780, 0x99aa'bbcc'ddee'ff90, 0x0f1e'2d3c'4b5a'6970};
    for (const bool upwards : {true, false}) {
        config_space space;
        for (const unsigned n : {0U, 1U, 2U}) {
            space.add_memory_bar(upwards ? 2 * n : 4 - 2 * n, 16);
        }
        for (const unsigned bar : {0U, 2U, 4U}) {
            EXPECT_EQ(space.load(layout::base_address_register(bar), 4), layout::bar_type_64bit);
            EXPECT_EQ(space.load(layout::base_address_register(bar + 1), 4), 0U);
            space.write(layout::base_address_register(bar), 4,
                        static_cast<std::uint32_t>(addresses[bar / 2]));
            space.write(layout::base_address_register(bar + 1), 4,
                        static_cast<std::uint32_t>(addresses[bar / 2] >> 32));
        }
        for (const unsigned bar : {0U, 2U, 4U}) {
            EXPECT_EQ(space.bar_address(bar), addresses[bar / 2]) << bar;
            EXPECT_EQ(space.load(layout::base_address_register(bar), 4),
                      static_cast<std::uint32_t>(addresses[bar / 2]) | layout::bar_type_64bit);
        }
        space.write(layout::base_address_register(5) + 4, 4, ~0U);
        EXPECT_EQ(space.load(layout::base_address_register(5) + 4, 4), 0U) << "behind the last";
    }
}

TEST(config_space_test, capabilities_form_a_list) {
    config_space space;
    EXPECT_EQ(space.load(layout::status, 2) & layout::status_capabilities_list, 0U);
    const std::array<std::byte, 14> body{std::byte{7}};
    const unsigned first = space.add_capability(layout::capability_vendor_specific, body);
    const unsigned second = space.add_capability(layout::capability_msix, std::span(body).first(1));
    const unsigned third = space.add_capability(layout::capability_vendor_specific, body);
    EXPECT_NE(space.load(layout::status, 2) & layout::status_capabilities_list, 0U);
    EXPECT_EQ(space.load(layout::capabilities_pointer, 1), first);
    EXPECT_EQ(first, layout::header_size);
    EXPECT_EQ(space.load(first + layout::capability_next, 1), second);
    EXPECT_EQ(space.load(second + layout::capability_next, 1), third);
    EXPECT_EQ(space.load(third + layout::capability_next, 1), 0U);
    EXPECT_EQ(space.load(second, 1), layout::capability_msix);
    EXPECT_EQ(space.load(first + 2, 1), 7U);
    EXPECT_EQ(third % 4, 0U);
    EXPECT_EQ(space.capability_at(first - 1), nullptr);
    EXPECT_EQ(space.capability_at(first + 15)->offset, first);
    EXPECT_EQ(space.capability_at(second + 2)->id, layout::capability_msix);
    EXPECT_EQ(space.capability_at(second + 3), nullptr) << "padding";
    space.write(first + 2, 1, 0);
    EXPECT_EQ(space.load(first + 2, 1), 7U) << "read-only";
}

TEST(config_space_test, capabilities_end_at_byte_255) {
    config_space space;
    const std::array<std::byte, 62> body{};
    for (int n = 0; n < 3; ++n) {
        space.add_capability(layout::capability_vendor_specific, body);
    }
    EXPECT_THROW(space.add_capability(layout::capability_vendor_specific, {}), std::logic_error);
    config_space other;
    const std::array<std::byte, 191> large{};
    EXPECT_THROW(other.add_capability(layout::capability_vendor_specific, large), std::logic_error);
    EXPECT_EQ(other.add_capability(layout::capability_vendor_specific, std::span(large).first(190)),
              layout::header_size);
}

}  // namespace
}  // namespace pefsim::pci
