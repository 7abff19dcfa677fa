// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/virtio.h"
#include "abi/virtio_ring.h"

/// Packed virtqueues (VIRTIO 1.2, 2.8): wire structs. Flags NEXT, WRITE and INDIRECT are those of split queues.
///
/// | area                     | written by | alignment | size            |
/// |--------------------------|------------|-----------|-----------------|
/// | descriptor ring          | both       | 16        | 16 * queue size |
/// | driver event suppression | driver     | 4         | 4               |
/// | device event suppression | device     | 4         | 4               |
namespace pefsim::abi::virtio {

/// struct pvirtq_desc (2.8.13).
struct packed_desc {
    le64 addr;
    le32 len;
    le16 id;  ///< of the buffer; in the last descriptor of a chain, and in used ones
    le16 flags;
};
static_assert(sizeof(packed_desc) == 16);
inline constexpr std::uint64_t packed_used_offset =
    8;  ///< what the device writes of a descriptor: len, id, flags

inline constexpr std::uint16_t packed_f_avail = 1U << 7;
inline constexpr std::uint16_t packed_f_used = 1U << 15;

/// struct pvirtq_event_suppress (2.8.14).
struct event_suppress {
    le16 desc;  ///< position in the ring, and the wrap counter in bit 15; with event_desc
    le16 flags;
};
static_assert(sizeof(event_suppress) == 4);
inline constexpr std::uint16_t event_enable = 0;
inline constexpr std::uint16_t event_disable = 1;
inline constexpr std::uint16_t event_desc = 2;  ///< only with EVENT_IDX
inline constexpr std::uint16_t packed_wrap = 1U << 15;

inline constexpr std::uint64_t event_suppress_alignment = 4;

}  // namespace pefsim::abi::virtio
