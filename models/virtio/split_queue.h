// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/virtio_ring.h"
#include "virtio/descriptor_chain.h"
#include "virtio/queue_memory.h"

namespace pefsim::virtio {

/// What makes a virtqueue unusable. All but `ring_unreadable` and `ring_unwritable` are the driver's breaches.
enum class queue_error : std::uint8_t {
    none,
    ring_unreadable,
    ring_unwritable,
    avail_index_jump,
    head_out_of_range,
    head_in_flight,
    next_out_of_range,
    chain_loops,
    chain_too_long,
    chain_too_large,
    zero_length,
    address_overflow,
    readable_after_writable,
    indirect_not_negotiated,
    indirect_and_next,
    indirect_nested,
    indirect_table_size,
    indirect_next_out_of_range,
};

struct queue_error_description {
    queue_error error;
    std::string_view name;
    std::string_view sentence;
};

/// In the order of the enumeration.
inline constexpr std::array queue_error_descriptions{
    queue_error_description{queue_error::none, "none", "the queue works"},
    queue_error_description{queue_error::ring_unreadable, "ring_unreadable",
                            "the device's read of the ring was refused"},
    queue_error_description{queue_error::ring_unwritable, "ring_unwritable",
                            "the device's write of the used ring was refused"},
    queue_error_description{queue_error::avail_index_jump, "avail_index_jump",
                            "the available index moved by more than the queue size"},
    queue_error_description{queue_error::head_out_of_range, "head_out_of_range",
                            "the available ring names a descriptor beyond the queue size"},
    queue_error_description{queue_error::head_in_flight, "head_in_flight",
                            "the available ring names a chain that the device has not returned yet"},
    queue_error_description{queue_error::next_out_of_range, "next_out_of_range",
                            "a descriptor's next field is beyond the queue size"},
    queue_error_description{queue_error::chain_loops, "chain_loops",
                            "the descriptor chain comes back to itself"},
    queue_error_description{queue_error::chain_too_long, "chain_too_long",
                            "the descriptor chain has more descriptors than the queue"},
    queue_error_description{queue_error::chain_too_large, "chain_too_large",
                            "the descriptor chain has more than 2^32 bytes"},
    queue_error_description{queue_error::zero_length, "zero_length", "a descriptor's buffer has no bytes"},
    queue_error_description{queue_error::address_overflow, "address_overflow",
                            "a descriptor's buffer goes beyond the end of the address space"},
    queue_error_description{queue_error::readable_after_writable, "readable_after_writable",
                            "a device-readable descriptor follows a device-writable one"},
    queue_error_description{queue_error::indirect_not_negotiated, "indirect_not_negotiated",
                            "an indirect descriptor is used without INDIRECT_DESC"},
    queue_error_description{queue_error::indirect_and_next, "indirect_and_next",
                            "an indirect descriptor has the NEXT flag"},
    queue_error_description{queue_error::indirect_nested, "indirect_nested",
                            "an indirect table has an indirect descriptor"},
    queue_error_description{queue_error::indirect_table_size, "indirect_table_size",
                            "an indirect table's length is zero or no multiple of 16"},
    queue_error_description{queue_error::indirect_next_out_of_range, "indirect_next_out_of_range",
                            "a next field in an indirect table is beyond the table"},
};
constexpr const queue_error_description& describe(queue_error error) {
    return queue_error_descriptions[static_cast<std::size_t>(error)];
}
constexpr std::string_view to_name(queue_error error) { return describe(error).name; }

/// Device side of a split virtqueue (VIRTIO 1.2, 2.7), from its activation to its reset.
///
/// It knows the rings' layout and nothing of devices or transports; guest memory is a parameter of each call. It reads
/// as a device does: the available index once per batch, the run of new ring entries in one read, descriptors by lines
/// of 64 bytes, an indirect table in one read; used elements go out in one write per batch.
///
/// A queue that finds an error stops for good: pop() returns `broken` and publish() writes nothing any more. No content
/// of the rings makes it loop, or read or write outside the areas given here.
class split_queue {
public:
    struct layout {
        std::uint16_t size;      ///< entries, a power of two .. 32768
        abi::dma_addr desc;      ///< descriptor area, aligned to 16
        abi::dma_addr driver;    ///< available ring, aligned to 2
        abi::dma_addr device;    ///< used ring, aligned to 4
        bool indirect = false;   ///< INDIRECT_DESC negotiated
        bool event_idx = false;  ///< EVENT_IDX negotiated
    };
    enum class pop_result : std::uint8_t { chain, empty, broken };

    /// \throws std::logic_error when the transport let a size or an alignment pass that 2.7 forbids
    explicit split_queue(const layout& where);

    /// The next chain that the driver made available, in order of the available ring.
    pop_result pop(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay);

    /// The chain popped last, of those that are still out, is as if it had not been: the next pop() gives it again.
    void put_back(std::uint16_t head);

    /// Asks the driver for notifications again (2.7.10), of what it makes available beyond what the device has seen. To
    /// be called before the device goes to sleep.
    /// \returns true when more came in meanwhile: the caller pops on
    bool enable_notifications(queue_memory& memory, sc_core::sc_time& delay);
    /// Tells the driver that notifications are not needed while the device looks anyhow. With EVENT_IDX there is
    /// nothing to write: the index last asked for lies behind.
    void disable_notifications(queue_memory& memory, sc_core::sc_time& delay);

    /// Returns a chain to the driver with the next publish(). \param written bytes of its device-writable part, from
    /// its start
    void add_used(std::uint16_t head, std::uint32_t written);
    [[nodiscard]] std::size_t unpublished() const { return pending_.size(); }
    /// Writes the used elements, then the used index (2.7.8). \returns true when the driver wants an interrupt (2.7.7)
    bool publish(queue_memory& memory, sc_core::sc_time& delay);

    [[nodiscard]] queue_error error() const { return error_; }
    [[nodiscard]] std::uint16_t size() const { return layout_.size; }
    [[nodiscard]] std::uint16_t avail_seen() const { return avail_seen_; }  ///< available index as last read
    [[nodiscard]] std::uint16_t next_avail() const { return next_avail_; }  ///< position of the next pop
    [[nodiscard]] std::uint16_t used_idx() const { return used_idx_; }
    /// Chains popped and not published.
    [[nodiscard]] unsigned in_flight() const { return in_flight_; }

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

    bool fail(queue_error error) {
        error_ = error;
        return false;
    }
    bool read_avail_index(queue_memory& memory, sc_core::sc_time& delay);
    bool read_avail_entries(queue_memory& memory, sc_core::sc_time& delay);
    bool read_chain(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay);
    bool fetch(queue_memory& memory, const cursor& at, abi::virtio::vring_desc& desc,
               sc_core::sc_time& delay);
    bool enter_indirect(queue_memory& memory, const abi::virtio::vring_desc& desc, cursor& at,
                        sc_core::sc_time& delay);
    bool add_buffer(const abi::virtio::vring_desc& desc, descriptor_chain& chain);
    bool step(const abi::virtio::vring_desc& desc, cursor& at);
    bool write_used_elements(queue_memory& memory, sc_core::sc_time& delay);
    bool read_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t& value, sc_core::sc_time& delay);
    bool write_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t value, sc_core::sc_time& delay);
    bool driver_wants_interrupt(queue_memory& memory, std::uint16_t old_idx, sc_core::sc_time& delay);

    layout layout_;
    queue_error error_ = queue_error::none;
    std::uint16_t avail_seen_ = 0;
    std::uint16_t next_avail_ = 0;
    std::uint16_t used_idx_ = 0;
    unsigned in_flight_ = 0;

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
