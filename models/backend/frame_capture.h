// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "backend/pcap_file.h"

namespace pefsim::backend {

/// A buffer that a frame stands in, as the guest's driver has named it to its card.
struct frame_buffer {
    abi::dma_addr at;
    std::uint32_t length;  ///< bytes
};

/// Whoever looks over a network card's shoulder: a pcap file of the frames that it takes out of the guest's memory and
/// puts into it, with the buffers that they stand in, or what else there is to say, as comments.
///
/// A card runs ahead of simulation time; frames are in the file in the order of their times, each at its time.
class frame_capture : public sc_core::sc_module {
    SC_HAS_PROCESS(frame_capture);

public:
    /// Buffers of one frame that are described; of further ones their number is told.
    static constexpr std::size_t most_described = 8;

    /// What there is to say of a buffer, asked when the card has just used it.
    using description = std::function<std::string(const frame_buffer&)>;

    /// \param interface its name, as readers show it
    /// \throws std::invalid_argument naming the file when it cannot be created
    frame_capture(const sc_core::sc_module_name& name, std::filesystem::path file, std::string_view interface,
                  description describe);

    /// \param when now or later
    void record(std::span<const std::byte> frame, frame_direction direction,
                std::span<const frame_buffer> buffers, const sc_core::sc_time& when);
    /// A frame that is in no buffer, and why.
    void record(std::span<const std::byte> frame, frame_direction direction, std::string_view remark,
                const sc_core::sc_time& when);
    /// No frame comes any more: the file takes its place.
    /// \throws output::write_error when it could not be written in full
    void commit();

private:
    struct waiting_frame {
        std::vector<std::byte> bytes;
        frame_direction direction;
        std::string comment;
    };

    [[nodiscard]] std::string comment_on(std::span<const frame_buffer> buffers) const;
    void write_due();
    void write_until(const sc_core::sc_time& when);

    pcap_file file_;
    description describe_;
    std::multimap<sc_core::sc_time, waiting_frame> waiting_;
    sc_core::sc_event due_{"due"};
};

}  // namespace pefsim::backend
