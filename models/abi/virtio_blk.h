// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/virtio.h"

/// Block device (VIRTIO 1.2, 5.2).
namespace pefsim::abi::virtio::blk {

/// Feature bits (5.2.3).
inline constexpr std::uint64_t f_size_max = feature_bit(1);
inline constexpr std::uint64_t f_seg_max = feature_bit(2);
inline constexpr std::uint64_t f_geometry = feature_bit(4);
inline constexpr std::uint64_t f_ro = feature_bit(5);
inline constexpr std::uint64_t f_blk_size = feature_bit(6);
inline constexpr std::uint64_t f_flush = feature_bit(9);
inline constexpr std::uint64_t f_topology = feature_bit(10);
inline constexpr std::uint64_t f_config_wce = feature_bit(11);
inline constexpr std::uint64_t f_mq = feature_bit(12);
inline constexpr std::uint64_t f_discard = feature_bit(13);
inline constexpr std::uint64_t f_write_zeroes = feature_bit(14);

/// Unit of virtio_blk_config::capacity and virtio_blk_req::sector, whatever the block size.
inline constexpr std::uint64_t sector_size = 512;

/// struct virtio_blk_config (5.2.4).
struct config {
    le64 capacity;   ///< sectors
    le32 size_max;   ///< largest segment, bytes (SIZE_MAX)
    le32 seg_max;    ///< segments of data in a request (SEG_MAX)
    le16 cylinders;  ///< GEOMETRY
    std::uint8_t heads;
    std::uint8_t sectors;
    le32 blk_size;                    ///< BLK_SIZE
    std::uint8_t physical_block_exp;  ///< TOPOLOGY
    std::uint8_t alignment_offset;
    le16 min_io_size;
    le32 opt_io_size;
    std::uint8_t writeback;  ///< CONFIG_WCE; the only field that the driver writes
    std::uint8_t unused0;
    le16 num_queues;  ///< MQ
    le32 max_discard_sectors;
    le32 max_discard_seg;
    le32 discard_sector_alignment;
    le32 max_write_zeroes_sectors;
    le32 max_write_zeroes_seg;
    std::uint8_t write_zeroes_may_unmap;
    std::array<std::uint8_t, 3> unused1;
};
static_assert(sizeof(config) == 60);
static_assert(offsetof(config, blk_size) == 20);
static_assert(offsetof(config, writeback) == 32);
static_assert(offsetof(config, num_queues) == 34);

/// virtio_blk_req::type (5.2.6).
enum class request_type : std::uint32_t {
    in = 0,
    out = 1,
    flush = 4,
    get_id = 8,
    get_lifetime = 10,
    discard = 11,
    write_zeroes = 13,
    secure_erase = 14,
};

/// Head of struct virtio_blk_req, device-readable; the data and one status byte (device-writable) follow.
struct request_header {
    le32 type;  ///< request_type
    le32 reserved;
    le64 sector;
};
static_assert(sizeof(request_header) == 16);

/// struct virtio_blk_discard_write_zeroes: the data of a DISCARD or WRITE_ZEROES request are an array of these.
struct zone {
    le64 sector;
    le32 num_sectors;
    le32 flags;
};
static_assert(sizeof(zone) == 16);
inline constexpr std::uint32_t zone_unmap = 1;  ///< flags; WRITE_ZEROES only

/// The status byte at the end of a request.
enum class request_status : std::uint8_t { ok = 0, ioerr = 1, unsupp = 2 };

/// Data of a GET_ID request: a string without terminator when it fills all of them.
inline constexpr std::size_t id_bytes = 20;

}  // namespace pefsim::abi::virtio::blk
