// SPDX-License-Identifier: Apache-2.0
//
// Client interface: memory, instances, control (IEEE 1275-1994, 6.3.2.1, 6.3.2.3 to 6.3.2.7), methods.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::h_status;

constexpr std::uint32_t failure = 0xffff'ffff;
constexpr std::uint32_t nowhere = 0xffff'ff00;
constexpr std::uint32_t ram_end = firmware_bench::default_ram;

class client_services_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t buffer = firmware_bench::buffer_at;
    static constexpr std::uint32_t page = 0x1'0000;

    std::uint32_t claim(std::uint32_t at, std::uint32_t size, std::uint32_t alignment) {
        return bench.ask("claim", {at, size, alignment});
    }
    void release(std::uint32_t at, std::uint32_t size) {
        EXPECT_EQ(bench.client("release", {at, size}, 0).status, h_status::h_success);
    }

    firmware_bench bench{{.kernel = extent{.at = 0x4'0000, .size = 0x2'0000},
                          .initrd = extent{.at = 0x10'0000, .size = 0x1234}}};
};

// --- memory

TEST_F(client_services_test, memory_is_claimed_where_it_is_free) {
    EXPECT_EQ(claim(0x20'0000, 0x1000, 0), 0x20'0000U);
    EXPECT_EQ(claim(0x20'0000, 0x1000, 0), failure) << "taken";
    EXPECT_EQ(claim(0x20'0fff, 1, 0), failure);
    EXPECT_EQ(claim(0x1f'f000, 0x1001, 0), failure) << "its last byte is taken";
    EXPECT_EQ(claim(0x20'1000, 1, 0), 0x20'1000U) << "right behind it";
    EXPECT_EQ(claim(0x1f'f000, 0x1000, 0), 0x1f'f000U) << "right before it";
    EXPECT_EQ(claim(0x20'0000, 0, 0), failure);
    EXPECT_EQ(claim(ram_end - 1, 1, 0), ram_end - 1);
    EXPECT_EQ(claim(ram_end, 1, 0), failure);
    EXPECT_EQ(claim(ram_end - 0x1000, 0x1001, 0), failure);
    EXPECT_EQ(claim(failure, failure, 0), failure);
    EXPECT_EQ(claim(0x30'0000, failure, 0), failure);
}

TEST_F(client_services_test, firmware_kernel_and_initrd_are_taken) {
    for (const std::uint32_t at : {0x0U, 0x8000U, 0xffffU, 0x4'0000U, 0x5'ffffU, 0x10'0000U, 0x10'1233U}) {
        EXPECT_EQ(claim(at, 1, 0), failure) << at;
    }
    for (const std::uint32_t at : {0x1'0000U, 0x3'ffffU, 0x6'0000U, 0x10'1234U}) {
        EXPECT_EQ(claim(at, 1, 0), at);
    }
}

TEST_F(client_services_test, an_aligned_claim_gets_the_lowest_place) {
    EXPECT_EQ(claim(0, 0x1000, 1), 0x1'0000U) << "the address is left aside";
    EXPECT_EQ(claim(0x12'3456, 0x1000, 0x1000), 0x1'1000U);
    EXPECT_EQ(claim(0, 1, 0x1'0000), 0x2'0000U);
    EXPECT_EQ(claim(0, 0x1'0000, 0x1'0000), 0x3'0000U);
    EXPECT_EQ(claim(0, 0x1'0000, 0x1'0000), 0x6'0000U) << "behind the kernel";
    EXPECT_EQ(claim(0, 1, 3), 0x1'2000U) << "alignments are powers of two";
    EXPECT_EQ(claim(0, 1, 3), 0x1'2004U);
    EXPECT_EQ(claim(0, 1, 0x20'0000), 0x20'0000U);
    EXPECT_EQ(claim(0, 1, 0x40'0000), failure) << "RAM ends there";
    for (const std::uint32_t alignment : {0x8000'0000U, 0x8000'0001U, failure}) {
        EXPECT_EQ(claim(0, 1, alignment), failure) << alignment;
    }
    EXPECT_EQ(claim(0, 0, 1), failure);
}

TEST_F(client_services_test, memory_that_is_released_can_be_claimed_again) {
    ASSERT_EQ(claim(0x20'0000, 0x3000, 0), 0x20'0000U);
    release(0x20'1000, 0x1000);
    EXPECT_EQ(claim(0x20'0000, 0x3000, 0), failure);
    EXPECT_EQ(claim(0x20'1000, 0x1000, 0), 0x20'1000U);
    release(0x20'0000, 0x3000);
    EXPECT_EQ(claim(0x20'0000, 0x3000, 0), 0x20'0000U);
    // What is no memory stays none.
    release(ram_end, 0x1'0000);
    release(ram_end - 0x1000, 0x2000);
    release(failure, failure);
    release(0, 0);
    EXPECT_EQ(claim(ram_end, 0x1000, 0), failure);
    EXPECT_EQ(claim(ram_end - 0x1000, 0x2000, 0), failure);
}

TEST_F(client_services_test, memory_is_exhausted_and_nothing_lies_on_anything) {
    std::vector<bool> pages(ram_end / page);
    unsigned given = 0;
    for (std::uint32_t at = 0; (at = claim(0, page, page)) != failure; ++given) {
        ASSERT_EQ(at % page, 0U);
        ASSERT_LT(at, ram_end);
        EXPECT_FALSE(pages[at / page]);
        pages[at / page] = true;
    }
    EXPECT_EQ(given, 64U - 1 - 2 - 1) << "all but firmware's, the kernel's and the initrd's";
    EXPECT_EQ(claim(0, ram_end, 1), failure);
}

TEST(claims_test, a_claim_below_an_end_stays_below_it) {
    constexpr std::uint64_t gib = std::uint64_t{1} << 30;
    claims memory(8 * gib);
    ASSERT_TRUE(memory.take(0, 4 * gib - 0x1'0000));
    EXPECT_EQ(memory.take_aligned(0x8000, 0x1000, 4 * gib), 4 * gib - 0x1'0000);
    EXPECT_EQ(memory.take_aligned(0x8001, 0x1000, 4 * gib), std::nullopt) << "there is room above alone";
    EXPECT_EQ(memory.take_aligned(0x8000, 0x1000, 4 * gib), 4 * gib - 0x8000);
    EXPECT_EQ(memory.take_aligned(1, 4 * gib, 4 * gib), std::nullopt);
    EXPECT_EQ(memory.take_aligned(1, 4 * gib, 8 * gib), 4 * gib);
    EXPECT_EQ(memory.take_below(6 * gib, 0x100, 0x1'0000), 6 * gib - 0x1'0000);
    EXPECT_EQ(memory.take_below(6 * gib, 0x100, 0x1'0000), 6 * gib - 0x2'0000);
    EXPECT_EQ(memory.take_below(4 * gib, 0x100, 0x1000), std::nullopt);
    EXPECT_EQ(memory.take_below(16 * gib, gib, gib), 7 * gib);
    EXPECT_FALSE(memory.take(8 * gib - 1, 2));
    EXPECT_FALSE(memory.take(~std::uint64_t{0}, 2));
}

class much_memory_test : public testing::simulation_test {};

TEST_F(much_memory_test, a_claim_has_an_address_of_32_bits) {
    firmware_bench bench({.ram_size = std::uint64_t{8} << 30});
    EXPECT_EQ(bench.ask("claim", {0x1'0000, 0xfffe'0000, 0}), 0x1'0000U);
    EXPECT_EQ(bench.ask("claim", {0, 0x1'0000, 0x1'0000}), 0xffff'0000U);
    EXPECT_EQ(bench.ask("claim", {0, 0x1'0000, 0x1'0000}), failure) << "4 GiB are free, all of them above";
    EXPECT_EQ(bench.ask("claim", {0, 1, 0x8000'0001}), failure);
    EXPECT_EQ(bench.ask("claim", {0xffff'ffff, 2, 0}), 0xffff'ffffU) << "where the client wants it";
}

// --- instances

TEST_F(client_services_test, an_instance_is_of_the_node_that_was_opened_until_it_is_closed) {
    const std::uint32_t instance = bench.ask("open", {"/vdevice/vty"});
    EXPECT_NE(instance, 0U);
    EXPECT_NE(instance, failure);
    EXPECT_EQ(bench.ask("instance-to-package", {instance}), bench.node("/vdevice/vty@71000000"));
    EXPECT_EQ(bench.ask("instance-to-path", {instance, buffer, 100}), 21U);
    EXPECT_EQ(bench.get_text(buffer, 22), std::string("/vdevice/vty@71000000\0", 22));
    EXPECT_EQ(bench.ask("instance-to-path", {instance, nowhere, 100}), failure);
    bench.client("close", {instance}, 0);
    EXPECT_EQ(bench.ask("instance-to-package", {instance}), failure);
    EXPECT_EQ(bench.ask("instance-to-path", {instance, buffer, 100}), failure);
    EXPECT_EQ(bench.ask("write", {instance, buffer, 4}), failure);
    bench.client("close", {instance}, 0);
    EXPECT_EQ(bench.ask("open", {"/nothing"}), 0U);
    EXPECT_EQ(bench.ask("open", {nowhere}), 0U);
    for (const std::uint32_t none : {0U, failure, 0x8000'0000U, 1000U}) {
        EXPECT_EQ(bench.ask("instance-to-package", {none}), failure) << none;
        bench.client("close", {none}, 0);
    }
}

TEST_F(client_services_test, instances_are_many_and_not_without_end) {
    std::vector<std::uint32_t> open;
    while (open.size() < 100'000) {
        const std::uint32_t instance = bench.ask("open", {"/"});
        if (instance == 0) {
            break;
        }
        open.push_back(instance);
    }
    EXPECT_EQ(open.size(), client_state::most_instances - 1) << "one is the terminal";
    bench.client("close", {open[7]}, 0);
    EXPECT_EQ(bench.ask("open", {"/cpus"}), open[7]) << "its place is free again";
    EXPECT_EQ(bench.ask("instance-to-package", {open[7]}), bench.node("/cpus"));
    EXPECT_EQ(bench.ask("instance-to-package", {open[8]}), bench.node("/"));
}

TEST_F(client_services_test, the_instance_in_chosen_writes_to_the_terminal_and_reads_from_it) {
    ASSERT_EQ(bench.ask("getprop", {bench.node("/chosen"), "stdout", buffer, 4}), 4U);
    const std::uint32_t terminal = bench.get_words(buffer, 1)[0];
    bench.put(buffer, "Hello, terminal\n");
    EXPECT_EQ(bench.ask("write", {terminal, buffer, 16}), 16U);
    EXPECT_EQ(bench.host.console_output(), "Hello, terminal\n");
    EXPECT_EQ(bench.ask("write", {terminal, buffer, 0}), 0U);
    EXPECT_EQ(bench.ask("write", {terminal, nowhere, 0}), 0U);
    EXPECT_EQ(bench.ask("write", {terminal, nowhere, 4}), failure);
    EXPECT_EQ(bench.ask("write", {terminal, ram_end - 3, 4}), failure);
    EXPECT_EQ(bench.host.console_output().size(), 16U);
    EXPECT_EQ(bench.ask("write", {terminal, 0x10'0000, 0x2'0000}), 0x1'0000U) << "64 KiB at once at most";
    EXPECT_EQ(bench.ask("read", {terminal, buffer, 16}), static_cast<std::uint32_t>(-2))
        << "nothing there yet";
    bench.host.terminal().type("typed");
    EXPECT_EQ(bench.ask("read", {terminal, buffer, 3}), 3U);
    EXPECT_EQ(bench.get_text(buffer, 3), "typ");
    EXPECT_EQ(bench.ask("read", {terminal, buffer, 16}), 2U);
    bench.host.terminal().type("x");
    EXPECT_EQ(bench.ask("read", {terminal, nowhere, 16}), failure);
}

TEST_F(client_services_test, other_packages_neither_read_nor_write) {
    const std::uint32_t root = bench.ask("open", {"/"});
    const std::uint32_t store = bench.ask("open", {"/vdevice/nvram"});
    for (const std::uint32_t instance : {root, store, 0U, 99U}) {
        EXPECT_EQ(bench.ask("write", {instance, buffer, 4}), failure);
        EXPECT_EQ(bench.ask("read", {instance, buffer, 4}), failure);
    }
    EXPECT_EQ(bench.host.console_output(), "");
}

// --- methods

TEST_F(client_services_test, instantiate_rtas_puts_its_code_where_the_client_wants_it) {
    const std::uint32_t rtas = bench.ask("open", {"/rtas"});
    ASSERT_EQ(bench.ask("getprop", {bench.node("/rtas"), "rtas-size", buffer, 4}), 4U);
    EXPECT_GE(bench.get_words(buffer, 1)[0], 4 * std::tuple_size_v<abi::firmware_entry>);
    const answer done = bench.client("call-method", {"instantiate-rtas", rtas, 0x20'0000}, 2);
    EXPECT_EQ(done.results, (words{0, 0x20'0000}));
    // mr r4,r3; lis r3,0; ori r3,r3,0xf000; sc 1; blr
    EXPECT_EQ(bench.get_words(0x20'0000, 5),
              (words{0x7c64'1b78, 0x3c60'0000, 0x6063'f000, 0x4400'0022, 0x4e80'0020}));
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", rtas, nowhere}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", rtas, ram_end - 16}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", rtas}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", rtas, 0x20'0000}, 1).results[0], 0U);
}

TEST_F(client_services_test, a_method_is_one_of_its_package) {
    const std::uint32_t root = bench.ask("open", {"/"});
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", root, 0x20'0000}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"frobnicate", root, 0}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {nowhere, root, 0}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", 0, 0x20'0000}, 2).results[0], failure);
    EXPECT_EQ(bench.client("call-method", {"instantiate-rtas", 77, 0x20'0000}, 2).results[0], failure);
}

// --- control

TEST_F(client_services_test, milliseconds_go_with_simulated_time) {
    bench.delay = sc_core::sc_time(1'234'567, sc_core::SC_US);
    EXPECT_EQ(bench.ask("milliseconds", {}), 1234U);
    EXPECT_EQ(bench.client("quiesce", {}, 0).status, h_status::h_success);
}

TEST_F(client_services_test, a_client_that_returns_to_firmware_is_at_its_end) {
    for (const char* service : {"exit", "enter"}) {
        bench.client(service, {}, 0);
        EXPECT_TRUE(bench.terminated) << service;
        EXPECT_EQ(bench.host.end()->what, hypervisor::guest_end::how::os_term);
        EXPECT_NE(bench.host.end()->text.find("returned to firmware"), std::string::npos);
    }
}

// --- what firmware refuses to begin with

class no_room_test : public testing::simulation_test {};

TEST_F(no_room_test, kernel_and_initrd_must_lie_in_memory_apart) {
    const auto begin = [](std::optional<extent> kernel, std::optional<extent> initrd) {
        const firmware_bench bench({.kernel = kernel, .initrd = initrd});
    };
    EXPECT_THROW(begin(extent{.at = 0xfff0, .size = 0x1000}, {}), std::invalid_argument);
    EXPECT_THROW(begin(extent{.at = ram_end - 0x1000, .size = 0x1001}, {}), std::invalid_argument);
}

TEST_F(no_room_test, initrd_on_the_kernel) {
    EXPECT_THROW(firmware_bench({.kernel = extent{.at = 0x20'0000, .size = 0x1000},
                                 .initrd = extent{.at = 0x20'0fff, .size = 0x1000}}),
                 std::invalid_argument);
}

TEST_F(no_room_test, a_flat_tree_needs_memory_that_is_free) {
    firmware_bench bench({.kernel = extent{.at = 0x1'0000, .size = ram_end - 0x1'0000}});
    EXPECT_THROW(bench.subject->flatten(bench.controllers), std::invalid_argument);
}

}  // namespace
}  // namespace pefsim::firmware
