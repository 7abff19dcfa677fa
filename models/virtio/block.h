// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/virtio_blk.h"
#include "backend/block_backend_if.h"
#include "report/metrics.h"
#include "trace/signal.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

/// What a block request asks for.
enum class block_operation : std::uint8_t {
    none,
    read,
    write,
    flush,
    get_id,
    discard,
    write_zeroes,
    unsupported,
    malformed
};
inline constexpr std::array<std::string_view, 9> block_operation_names{
    "none", "read", "write", "flush", "get_id", "discard", "write_zeroes", "unsupported", "malformed"};
constexpr std::string_view to_name(block_operation operation) {
    return block_operation_names[static_cast<std::size_t>(operation)];
}

/// The block device (VIRTIO 1.2, 5.2).
///
/// Ports: `disk`.
///
/// A read or write takes timing::block_latency, in parallel with all others, and then its bytes at
/// timing::block_bandwidth, after those of the requests before it; a flush ends after everything before it, and so does
/// a discard; zeros that are written are bytes like others unless they may be unmapped. Data move when the request is
/// finished: from the disk into the driver's buffers, or from there to the disk. Other requests are answered at once.
///
/// | status | when                                                                                                  |
/// |--------|-------------------------------------------------------------------------------------------------------|
/// | IOERR  | write to a read-only disk; sectors beyond the capacity; data that are no whole sectors; the disk failed; the |
/// |        | device's access to a buffer was refused; no header                                                    |
/// | UNSUPP | a type that does not exist or was not negotiated; a zone of a discard or of zeros with a flag that does |
/// |        | not exist, or of a discard with `unmap`                                                               |
///
/// Sectors beyond the capacity, broken sectors, zones that are none, too many or too long, flags that make a zone
/// unsupported, and a request without header or status byte are the driver's breaches. Such a request changes
/// nothing. A request without status byte cannot be answered: it is returned with length 0.
///
/// Signals: those of virtio_device, and `operation` per queue.
class block : public virtio_device {
public:
    struct config {
        std::uint16_t queues = 1;
        std::uint16_t queue_size = 256;
        std::uint32_t seg_max = 0;   ///< segments of data in a request; 0: queue_size - 2
        std::uint32_t size_max = 0;  ///< bytes of a segment; 0: not offered
        std::uint32_t blk_size = 512;
        bool flush = true;         ///< offer FLUSH
        bool config_wce = true;    ///< offer CONFIG_WCE; only with FLUSH
        bool discard = true;       ///< offer DISCARD, unless the disk is read-only
        bool write_zeroes = true;  ///< offer WRITE_ZEROES, unless the disk is read-only
        timing::timing costs = {};
    };
    static constexpr const char* kind = "block";
    static device_identity identity(const config& parameters) {
        return {abi::virtio::device_id::block, 0x01'0000, parameters.queues};
    }

    sc_core::sc_port<backend::block_backend_if> disk{"disk"};

    /// \throws std::invalid_argument for queues that virtio_device refuses, a block size that is no power of two from
    ///         512 on, CONFIG_WCE without FLUSH (5.2.5.2), or costs that are not positive
    block(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::uint64_t features() const override;
    void read_config(std::size_t offset, std::span<std::byte> to) const override;
    bool write_config(std::size_t offset, std::span<const std::byte> from) override;

    [[nodiscard]] std::uint64_t count(block_operation operation) const {
        return operations_.count(static_cast<std::size_t>(operation));
    }
    /// True while completed writes may be lost until the next flush (5.2.6.2).
    [[nodiscard]] bool writeback() const { return writeback_; }

private:
    /// What the device knows of a request in flight.
    struct command {
        block_operation operation = block_operation::none;
        abi::virtio::blk::request_status status = abi::virtio::blk::request_status::ok;
        std::uint64_t offset = 0;  ///< in the disk, bytes
        std::uint64_t bytes = 0;   ///< of data
        std::vector<abi::virtio::blk::zone>
            zones{};  ///< of a discard, or of zeros: as they were when it was taken
    };
    static constexpr std::uint32_t max_zones = 32;
    static constexpr std::uint32_t max_zone_sectors = std::uint32_t{1} << 22;  // 2 GiB

    void begin(request& what, sc_core::sc_time& delay) override;
    void finish(request& what, sc_core::sc_time& delay) override;
    void features_changed() override;

    command decode(const request& what, sc_core::sc_time& delay);
    void check_range(const request& what, command& c, const sc_core::sc_time& delay);
    void take_zones(const request& what, command& c, sc_core::sc_time& delay);
    void check_zone(const request& what, command& c, const abi::virtio::blk::zone& each,
                    const sc_core::sc_time& delay);
    void clear_zones(command& c);
    void make_stable(command& c);
    [[nodiscard]] bool supported(block_operation operation) const;
    [[nodiscard]] sc_core::sc_time completion_time(const command& c, const sc_core::sc_time& start);
    std::uint64_t read(const request& what, command& c, sc_core::sc_time& delay);
    void write(const request& what, command& c, sc_core::sc_time& delay);
    std::uint64_t get_id(const request& what, command& c, sc_core::sc_time& delay);
    [[nodiscard]] abi::virtio::blk::config configuration() const;

    config config_;
    bool writeback_ = false;
    sc_core::sc_time service_latency_;
    double ns_per_byte_;
    sc_core::sc_time channel_free_;  // when the disk has moved all bytes asked for so far
    std::vector<command> commands_;  // by request::slot
    std::vector<std::byte> scratch_;

    std::deque<trace::signal<block_operation>> operation_;  // by queue
    report::tally operations_;
    report::counter bytes_read_;
    report::counter bytes_written_;
};

}  // namespace pefsim::virtio
