// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <systemc>

#include "abi/address.h"
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
    chain_not_available,
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
    queue_error_description{queue_error::chain_not_available, "chain_not_available",
                            "a descriptor of an available chain is not available"},
};
constexpr const queue_error_description& describe(queue_error error) {
    return queue_error_descriptions[static_cast<std::size_t>(error)];
}
constexpr std::string_view to_name(queue_error error) { return describe(error).name; }

/// Device side of a virtqueue, from its activation to its reset (VIRTIO 1.2, 2.6). Its two layouts are split_queue and
/// packed_queue.
///
/// It knows the layout and nothing of devices or transports; guest memory is a parameter of each call. A queue that
/// finds an error stops for good: pop() returns `broken` and publish() writes nothing any more. No content of the rings
/// makes it loop, or read or write outside the areas given here.
class virtqueue {
public:
    struct layout {
        std::uint16_t size;  ///< entries, 1 .. 32768; of a split queue a power of two
        abi::dma_addr desc;  ///< descriptor area, aligned to 16
        abi::dma_addr
            driver;  ///< available ring, aligned to 2; packed: driver event suppression, aligned to 4
        abi::dma_addr device;    ///< used ring, or device event suppression; aligned to 4
        bool indirect = false;   ///< INDIRECT_DESC negotiated
        bool event_idx = false;  ///< EVENT_IDX negotiated
        bool packed = false;     ///< RING_PACKED negotiated
    };
    enum class pop_result : std::uint8_t { chain, empty, broken };

    virtual ~virtqueue() = default;

    /// The next chain that the driver made available, in its order.
    virtual pop_result pop(queue_memory& memory, descriptor_chain& chain, sc_core::sc_time& delay) = 0;
    /// The chain popped last is as if it had not been, then the one before it, and so on: the next pop() gives it
    /// again.
    virtual void put_back(std::uint16_t head) = 0;
    /// All that the device knows of has been popped; looking again is a read.
    [[nodiscard]] virtual bool exhausted() const = 0;

    /// Asks the driver for notifications again, of what it makes available beyond what the device has seen. To be
    /// called before the device goes to sleep.
    /// \returns true when more came in meanwhile: the caller pops on
    virtual bool enable_notifications(queue_memory& memory, sc_core::sc_time& delay) = 0;
    /// Tells the driver that notifications are not needed while the device looks anyhow.
    virtual void disable_notifications(queue_memory& memory, sc_core::sc_time& delay) = 0;

    /// Returns a chain to the driver with the next publish(). \param written bytes of its device-writable part, from
    /// its start
    virtual void add_used(std::uint16_t head, std::uint32_t written) = 0;
    [[nodiscard]] virtual std::size_t unpublished() const = 0;
    /// Writes what was added. \returns true when the driver wants an interrupt
    virtual bool publish(queue_memory& memory, sc_core::sc_time& delay) = 0;

    /// Where the device has seen the driver be, and where it is itself, for traces: indices modulo 2^16; of a packed
    /// queue positions in the ring, with the wrap counter in bit 15.
    [[nodiscard]] virtual std::uint16_t avail_seen() const = 0;
    [[nodiscard]] virtual std::uint16_t used_idx() const = 0;

    [[nodiscard]] queue_error error() const { return error_; }
    [[nodiscard]] std::uint16_t size() const { return layout_.size; }
    /// Chains popped and not published.
    [[nodiscard]] unsigned in_flight() const { return in_flight_; }

protected:
    explicit virtqueue(const layout& where) : layout_(where) {}

    bool fail(queue_error error) {
        error_ = error;
        return false;
    }
    /// The next buffer of a chain. \returns false for one that may not be
    bool add_buffer(const segment& buffer, bool writable, descriptor_chain& chain);
    /// What the descriptor of an indirect table says of it is allowed.
    bool check_table(queue_memory& memory, std::uint64_t table, std::uint32_t length);

    const layout layout_;
    unsigned in_flight_ = 0;

private:
    queue_error error_ = queue_error::none;
};

}  // namespace pefsim::virtio
