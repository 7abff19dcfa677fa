// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "abi/virtio_blk.h"
#include "tests/guest/guest_bench.h"

namespace pefsim::testing {

/// A block device on a mock_device: a disk in the test's memory. Serves every notification at once and interrupts
/// `latency` later, or leaves it to the test (`hold`).
struct mock_disk {
    static constexpr std::uint64_t features = abi::virtio::f_version_1 | abi::virtio::f_indirect_desc |
                                              abi::virtio::f_event_idx | abi::virtio::blk::f_seg_max |
                                              abi::virtio::blk::f_flush;
    struct request {
        std::uint32_t type;
        std::uint64_t sector;
        std::size_t segments;
        std::size_t data_bytes;
    };

    mock_device& device;
    device_memory& memory;
    std::vector<std::byte> content;
    sc_time latency = 5 * one_us;
    bool hold = false;
    std::vector<request> served;
    std::function<std::uint8_t(const request&)> status = [](const request&) { return std::uint8_t{0}; };
    /// What the used entry says instead of the truth.
    std::function<std::uint32_t(const request&, std::uint32_t)> length = [](const request&, std::uint32_t l) {
        return l;
    };
    std::map<std::uint16_t, std::vector<device_ring::chain>> held;

    mock_disk(guest_bench& bench, std::size_t sectors, std::uint64_t offered = features, unsigned queues = 1,
              std::uint16_t queue_size = 64)
        : device(bench.plug(abi::virtio::device_id::block, offered, queues, queue_size)),
          memory(bench.memory),
          content(512 * sectors) {
        set_config<std::uint64_t>(0, sectors);
        set_config<std::uint32_t>(12, 126);
        set_config<std::uint16_t>(34, static_cast<std::uint16_t>(queues));
        device.on_notify = [this](std::uint16_t queue, sc_time& delay) { work(queue, delay); };
    }
    template <class T>
    void set_config(std::size_t offset, T value) {
        std::memcpy(device.config.data() + offset, &value, sizeof value);
    }
    device_ring& ring(std::uint16_t queue = 0) { return device.queues[queue].ring; }

    void work(std::uint16_t queue, const sc_time& delay) {
        const std::uint16_t before = ring(queue).used_idx;
        while (const auto chain = ring(queue).take()) {
            if (hold) {
                held[queue].push_back(*chain);
            } else {
                serve(queue, *chain);
            }
        }
        ring(queue).set_avail_event(ring(queue).seen);
        if (ring(queue).used_idx != before) {
            device.interrupt_for(queue, before, delay + latency);
        }
    }
    void serve(std::uint16_t queue, const device_ring::chain& chain) {
        const auto& elements = chain.elements;
        const auto header = memory.load<abi::virtio::blk::request_header>(elements.front().address);
        EXPECT_EQ(std::uint32_t{header.reserved}, 0U);
        for (const device_ring::element& each : elements) {
            EXPECT_NE(each.length, 0U);
        }
        request what{header.type, header.sector, elements.size() - 2, 0};
        std::uint64_t at = 512 * what.sector;
        std::uint32_t written = 0;
        for (std::size_t i = 1; i + 1 < elements.size(); ++i) {
            what.data_bytes += elements[i].length;
        }
        const std::uint8_t result = status(what);
        for (std::size_t i = 1; result == 0 && i + 1 < elements.size(); ++i) {
            const device_ring::element& e = elements[i];
            if (e.writable && what.type == 8) {
                const std::vector<std::byte> id(e.length, std::byte{'x'});
                memory.write(e.address, id);
            } else if (e.writable) {
                memory.write(e.address, std::span(content).subspan(at, e.length));
            } else {
                std::ranges::copy(memory.read(e.address, e.length),
                                  content.begin() + static_cast<std::ptrdiff_t>(at));
            }
            at += e.length;
            written += e.writable ? e.length : 0;
        }
        memory.store<std::uint8_t>(elements.back().address, result);
        served.push_back(what);
        ring(queue).put_used(chain.head, length(what, written + 1));
    }
    /// Serves what was held, latest first.
    void release(std::uint16_t queue) {
        const std::uint16_t before = ring(queue).used_idx;
        while (!held[queue].empty()) {
            serve(queue, held[queue].back());
            held[queue].pop_back();
        }
        device.interrupt_for(queue, before, sc_core::SC_ZERO_TIME);
    }
};

}  // namespace pefsim::testing
