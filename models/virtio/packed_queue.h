// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/virtio_packed_ring.h"
#include "virtio/virtqueue.h"

namespace pefsim::virtio {

/// Device side of a packed virtqueue (VIRTIO 1.2, 2.8): one ring, in which the driver makes descriptors available and
/// the device overwrites them with used ones.
///
/// Descriptors are read by lines of 64 bytes and used only when they were available when they were read; the used ones
/// go out with one write each, in the order of completion.
class packed_queue final : public virtqueue {
public:
    /// \throws std::logic_error when the transport let a size or an alignment pass that 2.8 forbids
    explicit packed_queue(const layout& where);

    pop_result pop(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay) override;
    void put_back(std::uint16_t head) override;
    [[nodiscard]] bool exhausted() const override { return false; }  // there is no index that would say so
    bool enable_notifications(queue_memory& memory, sc_core::sc_time& delay) override;
    void disable_notifications(queue_memory& memory, sc_core::sc_time& delay) override;
    void add_used(std::uint16_t head, std::uint32_t written) override;
    [[nodiscard]] std::size_t unpublished() const override { return pending_.size(); }
    bool publish(queue_memory& memory, sc_core::sc_time& delay) override;
    [[nodiscard]] std::uint16_t avail_seen() const override { return seen_.encoded(); }
    [[nodiscard]] std::uint16_t used_idx() const override { return used_.encoded(); }

private:
    static constexpr std::uint16_t line_entries = 4;

    /// A place in the ring, and how often one has come past its end, modulo 2.
    struct position {
        std::uint16_t index = 0;
        bool wrap = true;

        [[nodiscard]] std::uint16_t encoded() const {
            return static_cast<std::uint16_t>(index | (wrap ? abi::virtio::packed_wrap : 0U));
        }
        friend bool operator==(const position&, const position&) = default;
    };
    struct used_buffer {
        std::uint16_t id;
        std::uint32_t written;
    };

    [[nodiscard]] position advanced(position from, std::uint16_t by) const;
    [[nodiscard]] position gone_back(position from, std::uint16_t by) const;
    static bool available(const abi::virtio::packed_desc& desc, bool wrap);

    /// The descriptor there, read again unless the line that it stands in holds it available.
    bool fetch(queue_memory& memory, const position& at, abi::virtio::packed_desc& desc,
               sc_core::sc_time& delay);
    bool read_chain(queue_memory& memory, abi::virtio::packed_desc desc, descriptor_chain& chain,
                    sc_core::sc_time& delay);
    bool read_table(queue_memory& memory, const abi::virtio::packed_desc& desc, descriptor_chain& chain,
                    sc_core::sc_time& delay);
    bool write_suppression(queue_memory& memory, std::uint16_t flags, sc_core::sc_time& delay);
    bool write_used(queue_memory& memory, const used_buffer& buffer, sc_core::sc_time& delay);
    bool driver_wants_interrupt(queue_memory& memory, std::uint16_t descriptors, sc_core::sc_time& delay);

    position next_;  // of the next pop
    position seen_;  // behind the last chain ever popped
    position used_;  // of the next used descriptor
    std::uint32_t descriptors_in_flight_ = 0;
    std::uint16_t chain_descriptors_ = 0;     // of the chain that is being read
    std::vector<std::uint16_t> descriptors_;  // of the chain in flight with each id; 0: none

    std::uint16_t line_begin_ = 0;
    std::uint16_t line_end_ = 0;
    std::array<abi::virtio::packed_desc, line_entries> line_{};
    std::vector<abi::virtio::packed_desc> table_;

    abi::virtio::event_suppress suppression_{};  // as the device wrote it last; at first zeros (2.8.10)
    std::vector<used_buffer> pending_;
};

}  // namespace pefsim::virtio
