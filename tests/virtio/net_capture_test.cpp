// SPDX-License-Identifier: Apache-2.0
//
// Which buffers a network device says that its frames stand in, as tshark reads them.
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <systemc>
#include <unistd.h>

#include "backend/frame_capture.h"
#include "tests/backend/tshark.h"
#include "tests/support/simulation.h"
#include "tests/virtio/net_bench.h"

namespace pefsim::virtio::testing {

namespace {

std::string place_of(const backend::frame_buffer& buffer) {
    return fmt::format("{}+{}", buffer.at.value() - test_memory::base, buffer.length);
}

class net_capture_test : public pefsim::testing::simulation_test {
protected:
    void SetUp() override {
        if (!pefsim::testing::tshark_is_there()) {
            GTEST_SKIP() << "tshark is not installed";
        }
    }
    ~net_capture_test() override { std::filesystem::remove(file_); }

    /// A line for each frame: its length, direction (1: to the guest) and comment.
    std::string captured() {
        capture_.commit();
        return pefsim::testing::tshark(
            file_, "-T fields -E separator=/s -e frame.len -e frame.packet_flags_direction"
                   " -e frame.comment");
    }

    std::filesystem::path file_ = std::filesystem::temp_directory_path() /
                                  ("pefsim-net-capture-" + std::to_string(getpid()));
    backend::frame_capture capture_{"capture", file_, "virtio-net0", place_of};
};

TEST_F(net_capture_test, each_buffer_of_a_chain_is_named) {
    net_bench b({.capture = &capture_});
    b.go_live(usual_features);
    const segment whole = b.packet(frame_of(64, 7));
    const std::array parts{segment{whole.at, 5}, segment{whole.at + 5, 8}, segment{whole.at + 13, 63}};
    b.tx().add(parts, {});
    b.kick(wire::transmit_queue);
    run_to_end();
    const segment place = b.buffer(2000);
    const std::array pieces{segment{place.at, 12}, segment{place.at + 12, 30}, segment{place.at + 42, 1000},
                            segment{place.at + 1042, 900}};
    b.rx().add({}, pieces);
    b.network.card->receive(frame_of(64, 7));
    run_to_end();
    const std::uint64_t from = whole.at.value() - test_memory::base;
    const std::uint64_t to = place.at.value() - test_memory::base;
    EXPECT_EQ(captured(), fmt::format("64 0x00000002 {}+5; {}+8; {}+63\n"
                                      "64 0x00000001 {}+12; {}+30; {}+34\n",
                                      from, from + 5, from + 13, to, to + 12, to + 42));
}

TEST_F(net_capture_test, each_of_the_buffers_that_a_frame_is_spread_over_is_named) {
    net_bench b({.capture = &capture_});
    b.go_live(usual_features | wire::f_mrg_rxbuf);
    const segment first = b.offer(100);
    const segment second = b.offer(100);
    b.network.card->receive(frame_of(150, 1));
    run_to_end();
    EXPECT_EQ(captured(), fmt::format("150 0x00000001 {}+100; {}+62\n", first.at.value() - test_memory::base,
                                      second.at.value() - test_memory::base));
}

TEST_F(net_capture_test, a_frame_that_does_not_get_to_the_driver_is_there_with_the_reason) {
    net_bench b({.rx_fifo = 1, .capture = &capture_});
    b.network.card->receive(frame_of(60, 0));
    b.go_live(usual_features);
    b.network.card->receive(frame_of(2000, 0));
    b.device.set_link(false);
    b.network.card->receive(frame_of(61, 0));
    b.device.set_link(true);
    b.network.card->receive(frame_of(62, 0));
    b.network.card->receive(frame_of(63, 0));
    b.offer(header_size + 61);
    run_to_end();
    EXPECT_EQ(captured(), "60 0x00000001 dropped: no driver is there\n"
                          "2000 0x00000001 dropped: longer than the MTU allows\n"
                          "61 0x00000001 dropped: the link is down\n"
                          "63 0x00000001 dropped: too many frames wait\n"
                          "62 0x00000001 dropped: it does not go into its receive buffers\n");
}

}  // namespace

}  // namespace pefsim::virtio::testing
