// SPDX-License-Identifier: Apache-2.0
#include "pci/msix.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "report/metrics.h"
#include "report/violations.h"
#include "tests/pci/pci_bench.h"

namespace pefsim::pci {
namespace {

namespace layout = abi::pci;
namespace platform = abi::platform;
using report::violation_kind;

class msix_test : public testing::simulation_test {
protected:
    using sources = std::vector<std::uint32_t>;
    static constexpr unsigned devfn = layout::devfn(1, 0);
    static constexpr unsigned vectors = 70;

    msix_test() : device("disk", bench.recorder, with_vectors()) {
        bench.bridge.attach(devfn, device);
        pci_bench::elaborate();
        table = bench.enable(devfn) + (1U << 20);
        capability = bench.config_read(devfn, layout::capabilities_pointer, 1);
    }

    static pci_function::config with_vectors() {
        pci_function::config parameters = pci_bench::device_config();
        parameters.msix_vectors = vectors;
        return parameters;
    }
    void control(std::uint16_t bits) {
        bench.config_write(devfn, capability + layout::msix_message_control, 2, bits);
    }
    [[nodiscard]] std::uint64_t entry(unsigned vector) const { return table + 16 * std::uint64_t{vector}; }
    /// Points the vector at a source, unmasked or not.
    void program(unsigned vector, std::uint32_t source, bool masked = false) {
        bench.write(entry(vector), 8, platform::msi_address.value());
        bench.write(entry(vector) + 8, 4, source);
        mask(vector, masked);
    }
    void mask(unsigned vector, bool masked) {
        bench.write(entry(vector) + 12, 4, masked ? layout::msix_vector_masked : 0);
    }
    [[nodiscard]] bool pending(unsigned vector) {
        const std::uint64_t base = table + pending_bits_offset();
        return (bench.read(base + vector / 64 * 8, 8) >> (vector % 64) & 1) != 0;
    }
    std::uint64_t pending_bits_offset() {
        return bench.config_read(devfn, capability + layout::msix_pending_bits, 4) & ~layout::msix_bar_mask;
    }
    void raise(unsigned vector) {
        sc_core::sc_time delay;
        device.raise_msix(vector, delay);
    }
    [[nodiscard]] sources sent() const {
        sources numbers;
        for (const auto& [source, delay] : bench.interrupts.messages) {
            numbers.push_back(source);
        }
        return numbers;
    }

    pci_bench bench;
    plain_device device;
    std::uint64_t table = 0;
    unsigned capability = 0;
};

TEST_F(msix_test, the_capability_describes_table_and_pending_bits) {
    EXPECT_EQ(bench.config_read(devfn, capability, 1), layout::capability_msix);
    EXPECT_EQ(bench.config_read(devfn, capability + layout::msix_message_control, 2), vectors - 1);
    EXPECT_EQ(bench.config_read(devfn, capability + layout::msix_table, 4), pci_function::msix_bar);
    EXPECT_EQ(pending_bits_offset(), 0x800U);
    EXPECT_EQ(bench.config_read(devfn, capability + layout::msix_pending_bits, 4) & layout::msix_bar_mask,
              pci_function::msix_bar);
    control(0xffff);
    EXPECT_EQ(bench.config_read(devfn, capability + layout::msix_message_control, 2),
              layout::msix_enable | layout::msix_function_mask | (vectors - 1));
}

TEST_F(msix_test, table_entries_start_masked_and_read_back) {
    EXPECT_EQ(bench.read(entry(69) + 12, 4), layout::msix_vector_masked);
    bench.write(entry(69), 8, 0x1122'3344'5566'7789);
    bench.write(entry(69) + 8, 8, 0xffff'fffe'cafe'f00d);
    EXPECT_EQ(bench.read(entry(69), 4), 0x5566'7788U) << "a message address is a multiple of 4";
    EXPECT_EQ(bench.read(entry(69) + 4, 4), 0x1122'3344U);
    EXPECT_EQ(bench.read(entry(69) + 8, 8), 0xcafe'f00dU) << "the other bits of vector control are reserved";
    bench.write(entry(70), 4, ~0U);
    EXPECT_EQ(bench.read(entry(70), 4), 0U) << "behind the table";
}

TEST_F(msix_test, a_message_is_the_entrys_write) {
    control(layout::msix_enable);
    program(2, platform::first_msi_source + 9);
    sc_core::sc_time delay(1, sc_core::SC_US);
    device.raise_msix(2, delay);
    const timing::timing costs;
    ASSERT_EQ(sent(), (sources{platform::first_msi_source + 9}));
    EXPECT_EQ(bench.interrupts.messages[0].second, delay + sc_core::sc_time(costs.msi_ns, sc_core::SC_NS));
    EXPECT_GT(delay, sc_core::sc_time(1, sc_core::SC_US));
    EXPECT_TRUE(bench.memory.log.empty());
    // A guest may point it anywhere that its IOMMU lets the device write.
    device.set_iommu_bypass(true);
    bench.write(entry(2), 8, 0x3000);
    raise(2);
    ASSERT_EQ(bench.memory.log.size(), 1U);
    EXPECT_EQ(bench.memory.log[0].at, 0x3000U);
    EXPECT_EQ(bench.memory.log[0].size, 4U);
}

TEST_F(msix_test, nothing_is_sent_while_msix_is_disabled) {
    program(0, platform::first_msi_source);
    raise(0);
    EXPECT_FALSE(pending(0));
    control(layout::msix_enable);
    EXPECT_EQ(sent(), sources{});
}

TEST_F(msix_test, a_masked_vector_becomes_pending_and_is_sent_once_when_unmasked) {
    control(layout::msix_enable);
    program(65, platform::first_msi_source + 1, true);
    raise(65);
    raise(65);
    EXPECT_TRUE(pending(65));
    EXPECT_FALSE(pending(1));
    EXPECT_EQ(sent(), sources{});
    mask(65, false);
    EXPECT_EQ(sent(), (sources{platform::first_msi_source + 1}));
    EXPECT_FALSE(pending(65));
    mask(65, true);
    mask(65, false);
    EXPECT_EQ(sent().size(), 1U);
}

TEST_F(msix_test, the_function_mask_holds_back_all_vectors) {
    control(layout::msix_enable | layout::msix_function_mask);
    program(0, platform::first_msi_source);
    program(3, platform::first_msi_source + 3);
    program(68, platform::first_msi_source + 68, true);
    for (const unsigned vector : {68U, 3U, 0U}) {
        raise(vector);
    }
    EXPECT_TRUE(pending(0) && pending(3) && pending(68));
    EXPECT_EQ(sent(), sources{});
    control(layout::msix_enable);
    EXPECT_EQ(sent(), (sources{platform::first_msi_source, platform::first_msi_source + 3}))
        << "68 is still masked";
    EXPECT_TRUE(pending(68));
    mask(68, false);
    EXPECT_EQ(sent().back(), platform::first_msi_source + 68);
}

TEST_F(msix_test, a_vector_unmasked_while_disabled_is_sent_when_enabled) {
    control(layout::msix_enable);
    program(5, platform::first_msi_source + 5, true);
    raise(5);
    control(0);
    mask(5, false);
    EXPECT_EQ(sent(), sources{});
    control(layout::msix_enable);
    EXPECT_EQ(sent(), (sources{platform::first_msi_source + 5}));
}

TEST_F(msix_test, messages_need_bus_mastering) {
    control(layout::msix_enable);
    program(0, platform::first_msi_source);
    bench.config_write(devfn, layout::command, 2, layout::command_memory_space);
    raise(0);
    EXPECT_EQ(sent(), sources{});
    EXPECT_EQ(bench.recorder.metrics().find_counter("disk", "dma_errors")->value(), 1U);
    EXPECT_EQ(bench.recorder.metrics().find_counter("disk", "msix_messages")->value(), 0U);
}

TEST_F(msix_test, a_vector_or_a_source_that_does_not_exist_is_a_violation) {
    control(layout::msix_enable);
    raise(vectors);
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 1U);
    program(0, platform::first_lsi_source);
    raise(0);
    EXPECT_EQ(bench.violations(violation_kind::device_protocol), 2U);
    EXPECT_EQ(sent(), sources{});
}

TEST_F(msix_test, the_table_takes_aligned_accesses_of_4_or_8_bytes_only) {
    std::uint64_t expected = 0;
    for (const auto& [offset, size] : {std::pair{0U, 1U}, {2U, 2U}, {2U, 4U}, {4U, 8U}}) {
        std::uint64_t value = 0;
        bench.access(true, table + offset, size, value);
        EXPECT_EQ(bench.violations(violation_kind::device_protocol), ++expected);
        bench.access(false, table + offset, size, value);
        EXPECT_EQ(bench.violations(violation_kind::device_protocol), ++expected);
        EXPECT_EQ(value, size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * size) - 1);
    }
    EXPECT_EQ(bench.read(table, 4), 0U);
}

TEST_F(msix_test, pending_bits_are_read_only) {
    bench.write(table + pending_bits_offset(), 8, ~std::uint64_t{0});
    EXPECT_EQ(bench.read(table + pending_bits_offset(), 8), 0U);
    EXPECT_EQ(bench.read(table + pending_bits_offset() + 0x7f8, 8), 0U);
}

TEST(msix_vectors_test, an_access_of_8_bytes_is_two_of_4) {
    msix_vectors made(70);
    made.write(16 * 69, 8, 0x1122'3344'5566'7788);
    made.write(16 * 69 + 8, 8, 0x0000'0001'cafe'f00d);
    EXPECT_EQ(made.read(16 * 69, 8), 0x1122'3344'5566'7788U);
    EXPECT_EQ(made.read(16 * 69, 4), 0x5566'7788U);
    EXPECT_EQ(made.read(16 * 69 + 4, 4), 0x1122'3344U);
    EXPECT_EQ(made.read(16 * 69 + 8, 8), 0x0000'0001'cafe'f00dU);
    EXPECT_EQ(made.read(16 * 69 + 8, 4), 0xcafe'f00dU);
    EXPECT_EQ(made.read(16 * 69 + 12, 4), layout::msix_vector_masked);
    made.write(16 * 69, 4, 0x9900'0000);
    made.write(16 * 69 + 8, 4, 0x77);
    EXPECT_EQ(made.read(16 * 69, 8), 0x1122'3344'9900'0000U) << "the other half stays";
    EXPECT_EQ(made.read(16 * 69 + 8, 8), 0x0000'0001'0000'0077U);
}

TEST(msix_vectors_test, each_vector_has_its_pending_bit) {
    constexpr unsigned vectors = 128;  // the table fills its half of the BAR
    for (const unsigned vector : {0U, 31U, 32U, 40U, 63U, 64U, 95U, 96U, 127U}) {
        msix_vectors made(vectors);
        made.set_control(true, false);
        EXPECT_FALSE(made.raise(vector)) << "masked since reset";
        for (unsigned word = 0; word < 3; ++word) {
            const std::uint64_t at = made.pending_bits_offset() + 8 * std::uint64_t{word};
            const std::uint64_t expected = word == vector / 64 ? std::uint64_t{1} << (vector % 64) : 0;
            EXPECT_EQ(made.read(at, 8), expected) << vector;
            EXPECT_EQ(made.read(at, 4), expected & 0xffff'ffff) << vector;
            EXPECT_EQ(made.read(at + 4, 4), expected >> 32) << vector;
            made.write(at, 8, ~expected);
            EXPECT_EQ(made.read(at, 8), expected) << "read-only";
        }
        EXPECT_FALSE(made.take_unmasked());
        made.write(16 * std::uint64_t{vector} + 12, 4, 0);
        EXPECT_TRUE(made.take_unmasked()) << vector;
        EXPECT_FALSE(made.take_unmasked()) << "once";
    }
}

TEST(msix_vectors_test, structures_fit_their_bar) {
    for (const unsigned vectors : {1U, 2U, 128U, 129U, 2048U}) {
        const msix_vectors made(vectors);
        EXPECT_GE(made.pending_bits_offset(), 16 * vectors);
        EXPECT_GE(made.bar_size() - made.pending_bits_offset(), (vectors + 7) / 8);
        EXPECT_TRUE(std::has_single_bit(made.bar_size()));
    }
    EXPECT_THROW(msix_vectors{0}, std::invalid_argument);
    EXPECT_THROW(msix_vectors{2049}, std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::pci
