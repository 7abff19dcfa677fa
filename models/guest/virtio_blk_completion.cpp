// SPDX-License-Identifier: Apache-2.0
//
// virtio_blk_driver: the requests' way back, and what happens when the device breaks the rules.
#include <fmt/format.h>

#include "abi/virtio.h"
#include "guest/virtio_blk_driver.h"
#include "report/violations.h"

namespace pefsim::guest {

namespace {

namespace blk = abi::virtio::blk;

}  // namespace

void virtio_blk_driver::queue_interrupt(native_cpu& cpu, std::uint16_t index) {
    block_queue& queue = *queues_[index];
    if (!usable_) {
        return;
    }
    interrupts_.add();
    const driver_call call(cpu, done_call_);
    queue.finished.clear();
    {
        const spinlock::guard locked(queue.lock, cpu);
        do {
            queue.ring.disable_interrupts(cpu);
            while (const auto used = queue.ring.get_used(cpu)) {
                queue.finished.push_back(*used);
            }
        } while (!queue.ring.enable_interrupts(cpu));
    }
    for (const split_virtqueue::used_buffer& used : queue.finished) {
        request_state_.set(block_request_state::used, cpu.now());
        const block_status status = result_of(cpu, parts_[used.token], used.written);
        queue.ring.completed(cpu, used);
        finish_part(cpu, used.token, status);
    }
    if (queue.ring.broken()) {
        give_up(cpu, "its queue is broken");
    } else if (!queue.waiting.empty()) {
        dispatch(cpu, index);
    }
}

void virtio_blk_driver::config_interrupt(native_cpu& cpu) {
    if (!usable_) {
        return;
    }
    virtio_pci_transport& transport = device_.transport();
    if ((transport.status(cpu) & abi::virtio::status_device_needs_reset) != 0) {
        give_up(cpu, "it needs a reset");
        return;
    }
    capacity_ = transport.read_config(
        cpu, [&] { return transport.config_field<std::uint64_t>(cpu, offsetof(blk::config, capacity)); });
}

block_status virtio_blk_driver::result_of(native_cpu& cpu, const block_part& finished,
                                          std::uint32_t written) {
    const auto status = cpu.load<std::uint8_t>(finished.status());
    switch (static_cast<blk::request_status>(status)) {
    case blk::request_status::ok:
        break;
    case blk::request_status::ioerr:
        return block_status::io_error;
    case blk::request_status::unsupp:
        return block_status::unsupported;
    default:
        violation(cpu, finished.number, fmt::format("used with status {:#x}, which does not exist", status));
        return block_status::io_error;
    }
    // 2.7.8.2: what lies beyond the written length is not to be relied upon.
    if (finished.operation == block_operation::read && written < finished.bytes + 1) {
        violation(cpu, finished.number,
                  fmt::format("read of {} bytes is OK, but only {} were written", finished.bytes, written));
        return block_status::io_error;
    }
    return block_status::ok;
}

void virtio_blk_driver::finish_part(native_cpu& cpu, std::uint32_t part, block_status status) {
    const std::uint32_t io = parts_[part].io;
    free_parts_.push_back(part);
    if (status != block_status::ok && ios_[io].result.status == block_status::ok) {
        ios_[io].result.status = status;
    }
    if (--ios_[io].parts == 0) {
        finish_io(cpu, io);
    }
}

void virtio_blk_driver::finish_io(native_cpu& cpu, std::uint32_t io) {
    const sc_core::sc_time now = cpu.now();
    block_io& finished = ios_[io];
    finished.result.latency = now - finished.submitted;
    const block_completion result = finished.result;
    block_callback done = finished.done;
    free_ios_.push_back(io);

    results_.add(static_cast<std::size_t>(result.status));
    if (result.ok()) {
        latency_.add(result.latency);
        bytes_read_.add(result.operation == block_operation::read ? result.bytes : 0);
        bytes_written_.add(result.operation == block_operation::write ? result.bytes : 0);
    }
    completed_.set(result.number, now);
    request_state_.set(block_request_state::completed, now);
    in_flight_.set(--ios_in_flight_, now);
    if (done) {
        done(cpu, result);
    }
}

void virtio_blk_driver::fail_waiting(native_cpu& cpu, block_queue& queue, block_status status,
                                     const sc_core::sc_time& since) {
    std::vector<std::uint32_t> lost;
    {
        const spinlock::guard locked(queue.lock, cpu);
        while (!queue.waiting.empty() && cpu.now() - parts_[queue.waiting.front()].since >= since) {
            lost.push_back(queue.waiting.front());
            queue.waiting.pop_front();
        }
    }
    for (const std::uint32_t part : lost) {
        finish_part(cpu, part, status);
    }
}

void virtio_blk_driver::give_up(native_cpu& cpu, std::string_view why) {
    usable_ = false;
    kernel_.log.printk(cpu, fmt::format("{}: given up: {}", device_.name(), why));
    device_.reset(cpu);
    device_.fail(cpu);
    for (const auto& queue : queues_) {
        std::vector<std::uint32_t> lost;
        {
            const spinlock::guard locked(queue->lock, cpu);
            queue->ring.detach_unused(cpu, [&lost](std::uint32_t part) { lost.push_back(part); });
        }
        for (const std::uint32_t part : lost) {
            finish_part(cpu, part, block_status::device_failed);
        }
        fail_waiting(cpu, *queue, block_status::device_failed, sc_core::SC_ZERO_TIME);
    }
}

void virtio_blk_driver::violation(native_cpu& cpu, std::uint64_t request, std::string detail) {
    kernel_.recorder.violations().report({.when = cpu.now(),
                                          .kind = report::violation_kind::driver_protocol,
                                          .who = device_.name(),
                                          .address = 0,
                                          .size = 0,
                                          .page_state = {},
                                          .request = request,
                                          .detail = std::move(detail)});
}

}  // namespace pefsim::guest
