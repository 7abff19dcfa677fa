// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "abi/address.h"
#include "abi/virtio_ring.h"
#include "virtio/virtqueue.h"

namespace pefsim::virtio {

/// Device side of a split virtqueue (VIRTIO 1.2, 2.7).
///
/// It reads as a device does: the available index once per batch, the run of new ring entries in one read, descriptors
/// by lines of 64 bytes, an indirect table in one read; used elements go out in one write per batch.
class split_queue final : public virtqueue {
public:
    /// \throws std::logic_error when the transport let a size or an alignment pass that 2.7 forbids
    explicit split_queue(const layout& where);

    pop_result pop(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay) override;
    void put_back(std::uint16_t head) override;
    [[nodiscard]] bool exhausted() const override { return next_avail_ == avail_seen_; }
    /// 2.7.10.
    bool enable_notifications(queue_memory& memory, sc_core::sc_time& delay) override;
    /// With EVENT_IDX there is nothing to write: the index last asked for lies behind.
    void disable_notifications(queue_memory& memory, sc_core::sc_time& delay) override;
    void add_used(std::uint16_t head, std::uint32_t written) override;
    [[nodiscard]] std::size_t unpublished() const override { return pending_.size(); }
    /// The used elements, then the used index (2.7.8); whether to interrupt (2.7.7).
    bool publish(queue_memory& memory, sc_core::sc_time& delay) override;

    [[nodiscard]] std::uint16_t avail_seen() const override {
        return avail_seen_;
    }                                                                       ///< available index as last read
    [[nodiscard]] std::uint16_t next_avail() const { return next_avail_; }  ///< position of the next pop
    [[nodiscard]] std::uint16_t used_idx() const override { return used_idx_; }

private:
    static constexpr std::uint32_t line_entries = 4;  // 64 bytes of descriptors

    /// Position in a chain: descriptor `index` of the queue's table, or of the indirect table at `table`.
    struct cursor {
        bool indirect = false;
        abi::dma_addr table{};
        std::uint32_t entries = 0;
        std::uint32_t index = 0;
        std::uint32_t steps = 0;  // descriptors seen in this table
    };

    bool read_avail_index(queue_memory& memory, sc_core::sc_time& delay);
    bool read_avail_entries(queue_memory& memory, sc_core::sc_time& delay);
    bool read_chain(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay);
    bool fetch(queue_memory& memory, const cursor& at, abi::virtio::vring_desc& desc,
               sc_core::sc_time& delay);
    bool enter_indirect(queue_memory& memory, const abi::virtio::vring_desc& desc, cursor& at,
                        sc_core::sc_time& delay);
    bool step(const abi::virtio::vring_desc& desc, cursor& at);
    bool write_used_elements(queue_memory& memory, sc_core::sc_time& delay);
    bool read_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t& value, sc_core::sc_time& delay);
    bool write_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t value, sc_core::sc_time& delay);
    bool driver_wants_interrupt(queue_memory& memory, std::uint16_t old_idx, sc_core::sc_time& delay);

    std::uint16_t avail_seen_ = 0;
    std::uint16_t next_avail_ = 0;
    std::uint16_t used_idx_ = 0;

    // Entries of the available ring are read ahead up to entries_end_, an index modulo 2^16 like the ring's own.
    std::uint16_t entries_end_ = 0;
    std::vector<abi::virtio::le16> entries_;
    // The line of the descriptor table read last; dropped when a new available index is read, since only then may the
    // driver have written other descriptors into it.
    std::uint32_t line_begin_ = 0;
    std::uint32_t line_end_ = 0;
    std::array<abi::virtio::vring_desc, line_entries> line_{};
    std::vector<abi::virtio::vring_desc> indirect_table_;
    std::uint32_t indirect_read_ = 0;

    bool notifications_on_ = true;
    bool avail_event_written_ = false;
    std::uint16_t avail_event_ = 0;

    std::vector<bool> head_in_flight_;
    std::vector<abi::virtio::vring_used_elem> pending_;
};

}  // namespace pefsim::virtio
