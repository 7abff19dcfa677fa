// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/virtio_ring.h"
#include "cpu/native/native_cpu.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/driver_call.h"
#include "guest/slab_allocator.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::guest {

using abi::dma_addr;

/// A run of guest memory that is part of a buffer.
struct segment {
    phys_addr at;
    std::uint32_t length = 0;  ///< bytes
};

/// Driver side of a split virtqueue (VIRTIO 1.2, 2.7), with indirect descriptors and EVENT_IDX when they were
/// negotiated.
///
/// The rings are one coherent buffer of the device's DMA operations; segments of a buffer, and its indirect table, are
/// mapped when the buffer is added and unmapped when it has been used. Which descriptors make a chain and what they map
/// is remembered outside of the memory that the device can reach and is never read back from it.
///
/// What the device writes is checked: a used index that runs ahead of what was made available, an id that heads no
/// outstanding chain, a length beyond the chain's writable part are violations (driver_protocol); the queue is then
/// broken: nothing is added to it or taken from it any more, only detach_unused() and tear_down() remain.
///
/// The caller serialises all calls (a lock, interrupts off). Signals: QUEUE_avail_idx, QUEUE_used_idx (the
/// device's, as last seen), QUEUE_in_flight.
class split_virtqueue {
public:
    enum class add_result : std::uint8_t {
        added,
        no_space,    ///< not enough free descriptors: wait for used buffers
        no_mapping,  ///< DMA operations or memory for an indirect table have run out; nothing is left mapped
        broken,
    };
    struct used_buffer {
        std::uint32_t token = 0;    ///< as given to add()
        std::uint32_t written = 0;  ///< bytes that the device says it wrote
        report::queue_journeys::handle journey = report::queue_journeys::none;
    };

    /// \param scope hierarchical name of the driver  \param name "queue0"  \param device "virtio-blk0"
    /// \param index of the queue, by which device and driver mean the same one
    split_virtqueue(trace::recorder& recorder, const timing::timing& costs, std::string_view scope,
                    std::string_view name, std::string_view device, std::uint16_t index);

    /// Allocates and clears the rings. \param features negotiated  \returns false when there is no memory for them
    bool set_up(native_cpu& cpu, dma_ops::dma_ops_if& operations, dma_ops::dma_device& device,
                slab_allocator& tables, std::uint16_t size, std::uint64_t features);
    /// Gives the rings back; the device must have been reset and every chain detached.
    void tear_down(native_cpu& cpu);
    [[nodiscard]] bool ready() const { return size_ != 0; }

    [[nodiscard]] std::uint16_t size() const { return size_; }
    [[nodiscard]] dma_addr descriptor_area() const { return rings_.device_address; }
    [[nodiscard]] dma_addr driver_area() const { return rings_.device_address + avail_offset_; }
    [[nodiscard]] dma_addr device_area() const { return rings_.device_address + used_offset_; }

    /// Maps a buffer and makes it available to the device, which may not have been told yet: see kick_prepare().
    /// \param segments device-readable ones first; at least one, at most size() of them
    /// \param readable how many are device-readable
    /// \param token comes back with the used buffer
    /// \param submitted when somebody asked the driver for it
    add_result add(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                   std::uint32_t token, const sc_core::sc_time& submitted);
    /// True when the device wants a notification for what was added since the last call.
    bool kick_prepare(native_cpu& cpu);
    /// The next used buffer, unmapped; nothing when there is none.
    std::optional<used_buffer> get_used(native_cpu& cpu);
    [[nodiscard]] bool more_used(native_cpu& cpu);
    /// The driver has told whoever asked: the end of its journey. Buffers whose end nobody waits for have none.
    void completed(native_cpu& cpu, const used_buffer& buffer) {
        journeys_.completed(buffer.journey, cpu.now());
    }

    /// Asks the device not to interrupt, which it may do nevertheless.
    void disable_interrupts(native_cpu& cpu);
    /// \returns false when used buffers have arrived meanwhile, for which there may be no interrupt
    bool enable_interrupts(native_cpu& cpu);

    [[nodiscard]] bool broken() const { return broken_; }
    [[nodiscard]] std::uint16_t in_flight() const { return outstanding_; }
    [[nodiscard]] std::uint16_t num_free() const { return num_free_; }

    /// After the device has been reset: unmaps every outstanding chain and calls `each(token)`.
    template <class Each>
    void detach_unused(native_cpu& cpu, Each each) {
        for (std::uint32_t head = 0; head < chains_.size(); ++head) {
            if (chains_[head].outstanding) {
                const std::uint32_t token = chains_[head].token;
                release(cpu, static_cast<std::uint16_t>(head));
                each(token);
            }
        }
    }

private:
    struct mapping {
        dma_addr at;
        std::uint32_t length;
        dma_ops::dma_data_direction direction;
    };
    /// What stands behind the descriptor that heads it.
    struct chain {
        std::uint32_t token = 0;
        bool outstanding = false;
        std::uint16_t descriptors = 0;  // in the ring's table
        std::uint64_t writable = 0;     // bytes
        std::vector<mapping> segments;
        std::uint32_t table_bytes = 0;  // of the indirect table; 0 without one
        phys_addr table;
        dma_addr table_dma;
    };

    bool map(native_cpu& cpu, std::span<const segment> segments, std::size_t readable, chain& into);
    void unmap(native_cpu& cpu, chain& from);
    /// \param mapping_time is added to
    bool write_indirect(native_cpu& cpu, std::uint16_t head, sc_core::sc_time& mapping_time);
    void write_direct(native_cpu& cpu, std::uint16_t head);
    void make_available(native_cpu& cpu, std::uint16_t head, report::queue_journeys::way_there way);
    void release(native_cpu& cpu, std::uint16_t head);
    std::optional<used_buffer> refuse(native_cpu& cpu, std::uint64_t offset, std::string detail);

    [[nodiscard]] phys_addr descriptor(std::uint16_t index) const {
        return rings_.cpu_address + abi::virtio::desc_offset(index);
    }
    [[nodiscard]] phys_addr avail(std::uint64_t offset) const {
        return rings_.cpu_address + avail_offset_ + offset;
    }
    [[nodiscard]] phys_addr used(std::uint64_t offset) const {
        return rings_.cpu_address + used_offset_ + offset;
    }

    trace::recorder& recorder_;
    std::string name_;
    std::string device_name_;
    entry_point set_up_call_;
    entry_point add_call_;
    entry_point get_used_call_;
    trace::signal<std::uint16_t> avail_idx_signal_;
    trace::signal<std::uint16_t> used_idx_signal_;
    trace::signal<std::uint16_t> in_flight_signal_;
    report::counter kicks_;
    report::counter kicks_suppressed_;
    report::queue_journeys& journeys_;

    dma_ops::dma_ops_if* operations_ = nullptr;
    dma_ops::dma_device* device_ = nullptr;
    slab_allocator* tables_ = nullptr;
    bool indirect_ = false;
    bool event_idx_ = false;
    bool broken_ = false;
    bool interrupts_enabled_ = true;
    dma_ops::coherent_buffer rings_;
    std::uint64_t avail_offset_ = 0;
    std::uint64_t used_offset_ = 0;
    std::size_t rings_size_ = 0;

    std::uint16_t size_ = 0;
    std::uint16_t num_free_ = 0;
    std::uint16_t free_head_ = 0;
    std::uint16_t outstanding_ = 0;  // chains
    std::uint16_t avail_idx_ = 0;
    std::uint16_t last_used_ = 0;
    std::uint32_t added_ = 0;                     // since kick_prepare()
    std::vector<std::uint16_t> next_;             // by descriptor: the next of its chain, or of the free list
    std::vector<chain> chains_;                   // by descriptor that heads one
    std::vector<abi::virtio::vring_desc> table_;  // being built
};

}  // namespace pefsim::guest
