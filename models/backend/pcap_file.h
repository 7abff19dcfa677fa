// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <systemc>

namespace pefsim::backend {

/// Frames in a file that tcpdump and Wireshark read: classic pcap (draft-ietf-opsawg-pcap), Ethernet, time stamps in
/// nanoseconds of simulated time.
class pcap_file {
public:
    /// \throws std::invalid_argument naming the file when it cannot be created
    explicit pcap_file(std::filesystem::path file);

    /// \throws std::runtime_error naming the file when the host cannot write on
    void record(std::span<const std::byte> frame, const sc_core::sc_time& when);
    /// Everything recorded so far is in the file afterwards. The destructor does it too.
    void flush();
    [[nodiscard]] const std::filesystem::path& file() const { return file_; }

private:
    void check();

    std::filesystem::path file_;
    std::ofstream stream_;
};

}  // namespace pefsim::backend
