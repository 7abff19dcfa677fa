// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/virtio.h"

/// Split virtqueues (VIRTIO 1.2, 2.7): wire structs and layout of the three areas.
///
/// | area       | written by | alignment | size             |
/// |------------|------------|-----------|------------------|
/// | descriptor | driver     | 16        | 16 * queue size  |
/// | available  | driver     | 2         | 6 + 2 * queue size: header, ring, used_event  |
/// | used       | device     | 4         | 6 + 8 * queue size: header, ring, avail_event |
namespace pefsim::abi::virtio {

/// 2.7: a queue size is a power of two, at most 32768.
inline constexpr std::uint32_t max_queue_size = 32768;

/// struct virtq_desc (2.7.5).
struct vring_desc {
    le64 addr;
    le32 len;
    le16 flags;
    le16 next;
};
static_assert(sizeof(vring_desc) == 16);

inline constexpr std::uint16_t desc_f_next = 1;
inline constexpr std::uint16_t desc_f_write = 2;  ///< device-writable; else device-readable
inline constexpr std::uint16_t desc_f_indirect = 4;

/// struct virtq_avail without its ring (2.7.6); le16 ring[queue size] and le16 used_event follow.
struct vring_avail {
    le16 flags;
    le16 idx;
};
static_assert(sizeof(vring_avail) == 4);

inline constexpr std::uint16_t avail_f_no_interrupt = 1;

/// struct virtq_used_elem (2.7.8).
struct vring_used_elem {
    le32 id;   ///< index of the head of the used descriptor chain
    le32 len;  ///< bytes written into its device-writable part
};
static_assert(sizeof(vring_used_elem) == 8);

/// struct virtq_used without its ring (2.7.8); vring_used_elem ring[queue size] and le16 avail_event follow.
struct vring_used {
    le16 flags;
    le16 idx;
};
static_assert(sizeof(vring_used) == 4);

inline constexpr std::uint16_t used_f_no_notify = 1;

inline constexpr std::uint64_t desc_alignment = 16;
inline constexpr std::uint64_t avail_alignment = 2;
inline constexpr std::uint64_t used_alignment = 4;

/// Bytes of each area of a queue of `n` entries. The event fields are part of them whether EVENT_IDX is negotiated or
/// not.
constexpr std::uint64_t desc_area_size(std::uint32_t n) { return sizeof(vring_desc) * std::uint64_t{n}; }
constexpr std::uint64_t avail_area_size(std::uint32_t n) { return 6 + 2 * std::uint64_t{n}; }
constexpr std::uint64_t used_area_size(std::uint32_t n) { return 6 + 8 * std::uint64_t{n}; }

/// Byte offsets into the areas. `slot` is a position in the ring, below the queue size.
constexpr std::uint64_t desc_offset(std::uint32_t index) { return sizeof(vring_desc) * std::uint64_t{index}; }
inline constexpr std::uint64_t avail_flags_offset = 0;
inline constexpr std::uint64_t avail_idx_offset = 2;
constexpr std::uint64_t avail_ring_offset(std::uint32_t slot) { return 4 + 2 * std::uint64_t{slot}; }
constexpr std::uint64_t used_event_offset(std::uint32_t n) { return 4 + 2 * std::uint64_t{n}; }
inline constexpr std::uint64_t used_flags_offset = 0;
inline constexpr std::uint64_t used_idx_offset = 2;
constexpr std::uint64_t used_ring_offset(std::uint32_t slot) { return 4 + 8 * std::uint64_t{slot}; }
constexpr std::uint64_t avail_event_offset(std::uint32_t n) { return 4 + 8 * std::uint64_t{n}; }

/// EVENT_IDX (2.7.7, 2.7.10): the other side asked to be told when the index passes `event_idx`; it now went from
/// `old_idx` to `new_idx` (vring_need_event of the specification).
constexpr bool need_event(std::uint16_t event_idx, std::uint16_t new_idx, std::uint16_t old_idx) {
    return static_cast<std::uint16_t>(new_idx - event_idx - 1) <
           static_cast<std::uint16_t>(new_idx - old_idx);
}

}  // namespace pefsim::abi::virtio
