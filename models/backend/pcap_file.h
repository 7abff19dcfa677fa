// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "output/whole_file.h"

namespace pefsim::backend {

/// Which way a frame goes, as its guest's card sees it: the values of pcapng's epb_flags, bits 0 and 1.
enum class frame_direction : std::uint32_t {
    to_guest = 1,    ///< inbound
    from_guest = 2,  ///< outbound
};

/// Frames in a file that tcpdump and Wireshark read: pcapng (draft-ietf-opsawg-pcapng), one Ethernet interface, time
/// stamps in nanoseconds of simulated time, the direction of each frame, and a comment where there is one.
///
/// A FIFO, or what else is written to directly, gets each frame when it is recorded: Wireshark shows a run that goes on
/// (`wireshark -k -i FIFO`).
class pcap_file {
public:
    /// \param interface its name, as readers show it
    /// \throws std::invalid_argument naming the file when it cannot be created
    pcap_file(std::filesystem::path file, std::string_view interface);

    /// The destructor commits, but keeps errors to itself.
    ~pcap_file();
    pcap_file(const pcap_file&) = delete;
    pcap_file& operator=(const pcap_file&) = delete;

    /// \param comment at most 64 KiB - 1 of UTF-8, the rest is cut off; none when empty
    void record(std::span<const std::byte> frame, frame_direction direction, const sc_core::sc_time& when,
                std::string_view comment = {});
    /// The last frame has been recorded: the file takes its place. Nothing happens the second time.
    /// \throws output::write_error naming the file when the host could not write all of it; there is no file then
    void commit();

private:
    void put_header(std::string_view interface);
    /// What is held back is enough for the host, or somebody waits for it.
    void pass_on();

    output::whole_file file_;
    std::vector<std::byte> held_back_;
    bool open_ = true;
};

}  // namespace pefsim::backend
