// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <systemc>
#include <vector>

#include "output/whole_file.h"

namespace pefsim::backend {

/// Frames in a file that tcpdump and Wireshark read: classic pcap (draft-ietf-opsawg-pcap), Ethernet, time stamps in
/// nanoseconds of simulated time.
class pcap_file {
public:
    /// \throws std::invalid_argument naming the file when it cannot be created
    explicit pcap_file(std::filesystem::path file);

    /// The destructor commits, but keeps errors to itself.
    ~pcap_file();
    pcap_file(const pcap_file&) = delete;
    pcap_file& operator=(const pcap_file&) = delete;

    void record(std::span<const std::byte> frame, const sc_core::sc_time& when);
    /// The last frame has been recorded: the file takes its place. Nothing happens the second time.
    /// \throws output::write_error naming the file when the host could not write all of it; there is no file then
    void commit();

private:
    void put(std::span<const std::byte> bytes);

    output::whole_file file_;
    std::vector<std::byte> held_back_;
    bool open_ = true;
};

}  // namespace pefsim::backend
