// SPDX-License-Identifier: Apache-2.0
#include "exposure/call_chains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exposure/ledger.h"

namespace pefsim::exposure {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(call_chains, equal_ones_have_one_number) {
    call_chains chains;
    const std::vector<std::uint64_t> callers{0x2000, 0x3000};
    const std::uint32_t number = chains.callers(callers);
    EXPECT_EQ(chains.callers(callers), number);
    EXPECT_NE(chains.callers(std::vector<std::uint64_t>{0x2000}), number);
    EXPECT_EQ(chains.callers({}), 0U);
    const std::uint64_t origin = chains.origin(0x1000, number);
    EXPECT_EQ(chains.origin(0x1000, number), origin);
    EXPECT_NE(chains.origin(0x1004, number), origin);
    EXPECT_NE(chains.origin(0x1000, 0), origin);
    EXPECT_EQ(chains.place(origin), 0x1000U);
    EXPECT_THAT(chains.returns(origin), ElementsAre(0x2000U, 0x3000U));
    EXPECT_THAT(chains.returns(chains.origin(0x1000, 0)), IsEmpty());
}

TEST(call_chains, are_neither_counters_nor_names) {
    ledger of;
    const std::uint64_t chain = of.chains().origin(0x1000, 0);
    EXPECT_TRUE(call_chains::is_chain(chain));
    EXPECT_FALSE(call_chains::is_chain(0));
    EXPECT_FALSE(call_chains::is_chain(0xc000'0000'0000'1000));
    EXPECT_FALSE(call_chains::is_chain(of.name_origin("virtio_blk.queue_rq")));
    EXPECT_FALSE(call_chains::is_chain(of.name_origin("virtio_blk.probe")));
}

TEST(call_chains, the_driver_is_the_first_that_works_for_itself) {
    const auto of = [](std::vector<std::string> functions) { return driver_of(functions); };
    EXPECT_EQ(of({"memcpy_power7", "swiotlb_bounce", "swiotlb_tbl_map_single", "dma_direct_map_page",
                  "vring_map_one_sg", "virtqueue_add_sgs", "virtio_queue_rq", "blk_mq_dispatch_rq_list"}),
              "virtio_queue_rq");
    EXPECT_EQ(of({"virtblk_probe"}), "virtblk_probe");
    EXPECT_EQ(of({"memset", "dma_direct_alloc"}), "");
    EXPECT_EQ(of({}), "");
}

/// Functions of 0x100 bytes: "f1" from 0x100 on, and so on. 0x800 is the way into the kernel.
std::string name(std::uint64_t pc) {
    return (pc / 0x100 == 8 ? std::string("system_call_common") : "f" + std::to_string(pc / 0x100)) + "+0x" +
           std::to_string(pc % 0x100);
}

TEST(call_chains, are_told_by_function) {
    ledger of;
    of.name_places(name);
    const auto functions = [&](std::uint64_t place, std::vector<std::uint64_t> returns) {
        return of.functions(of.chains().origin(place, of.chains().callers(returns)));
    };
    // LR of a function that has called another one leads into itself.
    EXPECT_THAT(functions(0x110, {0x120, 0x220, 0x320}), ElementsAre("f1", "f2", "f3"));
    // A call that does not return is its function's last instruction.
    EXPECT_THAT(functions(0x110, {0x300}), ElementsAre("f1", "f2"));
    EXPECT_THAT(functions(0x110, {0x220, 0x810, 0x520}), ElementsAre("f1", "f2", "system_call_common"));
    // What is no frame's.
    EXPECT_THAT(functions(0x110, {0x220, 1, 0x320}), ElementsAre("f1", "f2"));
    EXPECT_THAT(functions(0x110, {0x226}), ElementsAre("f1", "f2"));
    EXPECT_THAT(of.functions(of.name_origin("virtio_blk.probe")), ElementsAre("virtio_blk.probe"));
    EXPECT_EQ(of.origin(of.chains().origin(0x110, 0)), "0x110 <f1+0x16>");
}

TEST(call_chains, have_figures_of_their_own_and_a_place_has_one_row) {
    ledger of;
    of.name_places(name);
    const std::uint16_t cpu = of.name_initiator("cpu0");
    const std::uint16_t disk = of.name_initiator("disk");
    of.page_exposed(0);
    const auto wrote = [&](std::uint64_t at, std::uint64_t place, std::vector<std::uint64_t> returns) {
        of.wrote(abi::phys_addr{at}, 16, {cpu, 0, of.chains().origin(place, of.chains().callers(returns))},
                 sc_core::SC_ZERO_TIME, nullptr);
    };
    wrote(0x00, 0x110, {0x210});
    wrote(0x10, 0x114, {0x210});
    wrote(0x20, 0x110, {0x310});
    of.host_read(abi::phys_addr{0}, 8, disk, sc_core::SC_ZERO_TIME);
    const exposure_summary told = of.summary();
    ASSERT_EQ(told.writers.size(), 2U);
    EXPECT_EQ(told.writers[0].origin, "0x110 <f1+0x16>");
    EXPECT_EQ(told.writers[0].bytes_written, 32U);
    ASSERT_EQ(told.chains.size(), 2U);
    EXPECT_THAT(told.chains[0].functions, ElementsAre("f1", "f2"));
    EXPECT_EQ(told.chains[0].bytes_written, 32U);
    EXPECT_EQ(told.chains[0].bytes_looked_at, 8U);
    EXPECT_EQ(told.chains[0].bytes_standing, 32U);
    EXPECT_THAT(told.chains[1].functions, ElementsAre("f1", "f3"));
}

}  // namespace
}  // namespace pefsim::exposure
