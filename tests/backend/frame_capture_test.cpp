// SPDX-License-Identifier: Apache-2.0
//
// Frames in files and FIFOs, read back by tshark when it is there.
#include "backend/frame_capture.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/backend/tshark.h"
#include "tests/support/simulation.h"

namespace pefsim::backend {

namespace {

namespace fs = std::filesystem;
using sc_core::SC_NS;
using sc_core::sc_time;

class frame_capture_test : public pefsim::testing::simulation_test {
protected:
    static fs::path scratch(const char* what) {
        return fs::temp_directory_path() / ("pefsim-" + std::string(what) + std::to_string(getpid()));
    }
    static std::string address_of(const frame_buffer& buffer) {
        return std::to_string(buffer.at.value()) + "+" + std::to_string(buffer.length);
    }
    const std::vector<std::byte> frame_ = std::vector<std::byte>(61, std::byte{0x11});
};

TEST_F(frame_capture_test, pcap_file_is_whole_or_not_there) {
    const fs::path file = fs::temp_directory_path() / ("pefsim-full-" + std::to_string(getpid()) + ".pcap");
    const auto old = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    constexpr std::uint64_t header = 44 + 40;  // of section and interface
    constexpr std::uint64_t size = header + 100 * (28 + 200 + 16);
    for (std::uint64_t space = 0; space < size + 4096; space += 4096) {
        pcap_file frames(file, "eth0");
        for (unsigned n = 0; n < 100; ++n) {
            frames.record(std::vector<std::byte>(200), frame_direction::to_guest, sc_time(n, SC_NS));
        }
        const rlimit limit{space, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
        bool failed = false;
        try {
            frames.commit();
        } catch (const output::write_error& error) {
            failed = std::string(error.what()).find(file.string()) != std::string::npos;
        }
        setrlimit(RLIMIT_FSIZE, &before);
        EXPECT_EQ(failed, space < size) << space;
        EXPECT_EQ(fs::exists(file), !failed);
    }
    std::signal(SIGXFSZ, old);
    EXPECT_EQ(fs::file_size(file), size);
    fs::remove(file);
}

TEST_F(frame_capture_test, who_reads_a_fifo_has_each_frame_at_once) {
    const fs::path file = fs::temp_directory_path() / ("pefsim-fifo-" + std::to_string(getpid()));
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    const int reader = open(file.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    std::array<std::byte, 4096> bytes{};
    pcap_file frames(file, "eth0");
    EXPECT_EQ(read(reader, bytes.data(), bytes.size()), 44 + 40);
    for (unsigned n = 0; n < 3; ++n) {
        const std::vector<std::byte> frame(60 + n, std::byte{0x5a});
        frames.record(frame, frame_direction::from_guest, sc_time(n, SC_NS));
        EXPECT_EQ(read(reader, bytes.data(), bytes.size()), 28 + (60 + n + 3) / 4 * 4 + 16);
        EXPECT_TRUE(std::ranges::equal(frame, std::span(bytes).subspan(28, frame.size())));
    }
    frames.commit();
    close(reader);
    fs::remove(file);
}

TEST_F(frame_capture_test, a_file_that_cannot_be_created_is_refused) {
    EXPECT_THROW(frame_capture("capture", "/nowhere/at/all.pcap", "eth0", address_of), std::invalid_argument);
}

TEST_F(frame_capture_test, a_frame_is_in_the_fifo_when_its_time_has_come) {
    const fs::path file = scratch("timed-fifo");
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    const int reader = open(file.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    std::array<std::byte, 4096> bytes{};
    frame_capture capture("capture", file, "eth0", address_of);
    EXPECT_GT(read(reader, bytes.data(), bytes.size()), 0) << "the headers";
    capture.record(frame_, frame_direction::to_guest, "x", sc_time(100, SC_NS));
    run(sc_time(99, SC_NS));
    EXPECT_LT(read(reader, bytes.data(), bytes.size()), 1) << "its time has not come";
    run(sc_time(2, SC_NS));
    EXPECT_GT(read(reader, bytes.data(), bytes.size()), 61);
    capture.commit();
    close(reader);
    fs::remove(file);
}

TEST_F(frame_capture_test, tshark_reads_frames_in_order_of_time_with_their_comments) {
    if (!pefsim::testing::tshark_is_there()) {
        GTEST_SKIP() << "tshark is not installed";
    }
    const fs::path file = scratch("comments");
    frame_capture capture("capture", file, "eth0", address_of);
    std::vector<frame_buffer> many;
    for (std::uint64_t n = 0; n < frame_capture::most_described + 2; ++n) {
        many.push_back({abi::dma_addr{n}, 1});
    }
    capture.record(frame_, frame_direction::from_guest, std::array{frame_buffer{abi::dma_addr{4096}, 61}},
                   sc_time(300, SC_NS));
    capture.record(frame_, frame_direction::to_guest, "dropped", sc_time(200, SC_NS));
    capture.record(frame_, frame_direction::to_guest, "", sc_time(200, SC_NS));
    run(sc_time(250, SC_NS));
    capture.record(frame_, frame_direction::to_guest, many, sc_time(1, sc_core::SC_US));
    capture.record(frame_, frame_direction::to_guest, std::string(70'000, 'x'), sc_time(2, sc_core::SC_US));
    capture.commit();
    EXPECT_EQ(pefsim::testing::tshark(
                  file, "-c 4 -T fields -E separator=/t -e frame.time_epoch -e frame.len"
                        " -e frame.packet_flags_direction -e frame.interface_name -e frame.comment"),
              "0.000000200\t61\t0x00000001\teth0\tdropped\n"
              "0.000000200\t61\t0x00000001\teth0\t\n"
              "0.000000300\t61\t0x00000002\teth0\t4096+61\n"
              "0.000001000\t61\t0x00000001\teth0\t0+1; 1+1; 2+1; 3+1; 4+1; 5+1; 6+1; 7+1; and 2 more\n");
    // No option is longer than its length can say.
    EXPECT_EQ(pefsim::testing::tshark(file, "-Y frame.number==5 -T fields -e frame.time_epoch"),
              "0.000002000\n");
    fs::remove(file);
}

}  // namespace

}  // namespace pefsim::backend
