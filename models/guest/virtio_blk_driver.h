// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/virtio_blk.h"
#include "guest/block_request.h"
#include "guest/driver_call.h"
#include "guest/driver_environment.h"
#include "guest/virtio_blk_parts.h"
#include "guest/virtio_device.h"
#include "guest/virtio_driver.h"
#include "report/metrics.h"
#include "trace/signal.h"

namespace pefsim::guest {

/// Driver of a virtio block device (VIRTIO 1.2, 5.2), with one queue per CPU as far as the device has them.
///
/// A request is split where it has more segments, longer segments or more bytes than the device, its DMA operations or
/// the driver allow. Each part becomes one device request: header, data and status byte, all three mapped for the
/// device. A part that finds no descriptors or no DMA mapping waits in order and is tried again whenever a part of its
/// queue completes, and, when none is under way, after `resource_delay` (blk-mq's handling of BLK_STS_RESOURCE);
/// nothing is lost. After `resource_timeout` without success it fails with an I/O error.
///
/// Completion callbacks run in interrupt context, with interrupts off, on the CPU of the queue; they may submit.
///
/// A device that breaks the rules of its queue, or asks for a reset, is reset and given up: what is outstanding and
/// what is submitted from then on completes as device_failed.
///
/// Signals: submitted, completed (latest request number), request_state, in_flight (requests), and those of
/// virtio_device and split_virtqueue.
class virtio_blk_driver : public virtio_driver {
public:
    struct config {
        std::uint16_t queue_size = 256;                 ///< most descriptors per queue, a power of two
        std::uint32_t max_request_bytes = 1280U << 10;  ///< of one device request (Linux's max_sectors_kb)
        sc_core::sc_time resource_delay{3, sc_core::SC_MS};
        sc_core::sc_time resource_timeout{30, sc_core::SC_SEC};
    };

    /// \param scope hierarchical name of the driver  \param name "virtio-blk0"
    virtio_blk_driver(const driver_environment& kernel, const config& parameters, std::string_view scope,
                      std::string_view name);

    /// Brings the device up to DRIVER_OK. \returns false when it is not usable
    [[nodiscard]] abi::virtio::device_id drives() const override { return abi::virtio::device_id::block; }
    bool probe(native_cpu& cpu, const pci_device& pci) override;

    [[nodiscard]] virtio_device& device() override { return device_; }
    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] std::uint64_t capacity() const { return capacity_; }  ///< sectors of 512 bytes
    [[nodiscard]] bool read_only() const { return read_only_; }
    [[nodiscard]] std::uint16_t queues() const { return queues_in_use_; }
    /// The ring of one of them, for who looks at what stands in it.
    [[nodiscard]] const split_virtqueue& ring(std::uint16_t queue) const { return queues_.at(queue)->ring; }
    /// Longest segment and most segments of one device request.
    [[nodiscard]] std::uint32_t max_segment_size() const { return max_segment_; }
    [[nodiscard]] std::uint32_t max_segments() const { return max_segments_; }

    /// Starts a request. Data lengths are multiples of 512 (std::logic_error otherwise) and its memory stays the
    /// driver's until the callback. \returns the request's number
    ///
    /// A request that the device need not see to fail (beyond the capacity, a write to a read-only disk, a failed
    /// device) completes before submit() returns.
    std::uint64_t submit(native_cpu& cpu, const block_request& request, block_callback done);

    // The same, waiting for the result.
    block_status execute(native_cpu& cpu, const block_request& request);
    block_status read(native_cpu& cpu, std::uint64_t sector, phys_addr to, std::uint32_t bytes);
    block_status write(native_cpu& cpu, std::uint64_t sector, phys_addr from, std::uint32_t bytes);
    block_status flush(native_cpu& cpu);
    /// The device's identification string; nothing when it has none.
    std::optional<std::string> get_id(native_cpu& cpu);

    /// Device requests that had to wait for descriptors or mappings, and those of them that were started later.
    [[nodiscard]] std::uint64_t requeued() const { return requeued_.value(); }
    [[nodiscard]] std::uint64_t recovered() const { return recovered_.value(); }

private:
    // --- virtio_blk_driver.cpp: the way to the device
    void read_limits(native_cpu& cpu);
    bool set_up_queues(native_cpu& cpu);

    void check(const block_request& request) const;
    [[nodiscard]] block_status refusal(const block_request& request, std::uint64_t bytes) const;
    std::uint32_t start_io(native_cpu& cpu, const block_request& request, block_callback done);
    void split(native_cpu& cpu, const block_request& request, std::uint32_t io, block_queue& to);
    std::optional<std::uint32_t> new_part(native_cpu& cpu, std::uint32_t io, std::uint64_t sector);
    void enqueue(native_cpu& cpu, std::uint32_t part, block_queue& to);
    void dispatch(native_cpu& cpu, std::uint16_t index);
    bool start_first(native_cpu& cpu, block_queue& from);
    void requeue(native_cpu& cpu, std::uint16_t index, block_part& refused);
    void retry(native_cpu& cpu, std::uint16_t index);

    // --- virtio_blk_completion.cpp: the way back
    void queue_interrupt(native_cpu& cpu, std::uint16_t index);
    void config_interrupt(native_cpu& cpu);
    block_status result_of(native_cpu& cpu, const block_part& finished, std::uint32_t written);
    void finish_part(native_cpu& cpu, std::uint32_t part, block_status status);
    void finish_io(native_cpu& cpu, std::uint32_t io);
    /// What has waited for `since` or longer ends with `status`.
    void fail_waiting(native_cpu& cpu, block_queue& queue, block_status status,
                      const sc_core::sc_time& since);
    void give_up(native_cpu& cpu, std::string_view why);
    void violation(native_cpu& cpu, std::uint64_t request, std::string detail);

    driver_environment kernel_;
    config parameters_;
    virtio_device device_;
    std::vector<std::unique_ptr<block_queue>> queues_;  // one per CPU
    std::uint16_t queues_in_use_ = 0;
    bool usable_ = false;

    std::uint64_t capacity_ = 0;
    bool read_only_ = false;
    std::uint32_t max_segment_ = 0;
    std::uint32_t max_segments_ = 0;

    std::deque<block_io> ios_;  // stay where they are: other CPUs submit meanwhile
    std::vector<std::uint32_t> free_ios_;
    std::deque<block_part> parts_;
    std::vector<std::uint32_t> free_parts_;
    std::uint64_t last_number_ = 0;
    std::uint64_t ios_in_flight_ = 0;

    entry_point queue_rq_call_;
    entry_point done_call_;
    trace::signal<std::uint64_t> submitted_;
    trace::signal<std::uint64_t> completed_;
    trace::signal<block_request_state> request_state_;
    trace::signal<std::uint64_t> in_flight_;
    report::tally requests_;
    report::tally results_;
    report::counter bytes_read_;
    report::counter bytes_written_;
    report::counter parts_started_;
    report::counter requeued_;
    report::counter recovered_;
    report::counter retries_;
    report::counter interrupts_;
    report::duration_histogram latency_;
};

}  // namespace pefsim::guest
