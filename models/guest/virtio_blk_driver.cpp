// SPDX-License-Identifier: Apache-2.0
//
// virtio_blk_driver: device set-up and the requests' way to the device. The way back is in virtio_blk_completion.cpp.
#include "guest/virtio_blk_driver.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <limits>
#include <stdexcept>

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;
namespace blk = abi::virtio::blk;

constexpr std::uint64_t supported_features = blk::f_size_max | blk::f_seg_max | blk::f_ro | blk::f_blk_size |
                                             blk::f_flush | blk::f_topology | blk::f_mq;

/// Header, one segment of data, status; the size is a power of two.
constexpr std::uint16_t smallest_queue = 4;

std::vector<std::string> labels(std::span<const std::string_view> names) {
    return {names.begin(), names.end()};
}

blk::request_type type_of(block_operation operation) {
    switch (operation) {
    case block_operation::read:
        return blk::request_type::in;
    case block_operation::write:
        return blk::request_type::out;
    case block_operation::flush:
        return blk::request_type::flush;
    case block_operation::get_id:
        return blk::request_type::get_id;
    }
    return blk::request_type::in;
}

}  // namespace

virtio_blk_driver::virtio_blk_driver(const driver_environment& kernel, const config& parameters,
                                     std::string_view scope, std::string_view name)
    : kernel_(kernel),
      parameters_(parameters),
      device_(kernel.recorder, scope, name),
      queue_rq_call_(kernel.recorder, kernel.costs, "virtio_blk.queue_rq"),
      done_call_(kernel.recorder, kernel.costs, "virtio_blk.done"),
      submitted_(kernel.recorder, scope, "submitted", "number of the request submitted last"),
      completed_(kernel.recorder, scope, "completed", "number of the request completed last"),
      request_state_(kernel.recorder, scope, "request_state", "what the driver did last with a request"),
      in_flight_(kernel.recorder, scope, "in_flight", "requests submitted and not completed"),
      requests_(kernel.recorder.metrics(), scope, "requests", "requests", "requests submitted, by operation",
                labels(block_operation_names)),
      results_(kernel.recorder.metrics(), scope, "results", "requests", "requests completed, by status",
               labels(block_status_names)),
      bytes_read_(kernel.recorder.metrics(), scope, "bytes_read", "bytes", "data of completed reads"),
      bytes_written_(kernel.recorder.metrics(), scope, "bytes_written", "bytes", "data of completed writes"),
      parts_started_(kernel.recorder.metrics(), scope, "device_requests", "requests",
                     "requests that the device was given, after splitting"),
      requeued_(kernel.recorder.metrics(), scope, "requeued", "requests",
                "device requests that had to wait for descriptors or DMA mappings"),
      recovered_(kernel.recorder.metrics(), scope, "recovered", "requests", "of these: started later"),
      retries_(kernel.recorder.metrics(), scope, "retries", "attempts", "attempts to start them that failed"),
      interrupts_(kernel.recorder.metrics(), scope, "interrupts", "interrupts", "queue interrupts"),
      latency_(kernel.recorder.metrics(), scope, "latency", "from submit to completion") {
    if (!std::has_single_bit(parameters.queue_size) || parameters.queue_size < smallest_queue) {
        throw std::invalid_argument(fmt::format("{}: queue size of {}; a power of two from {} on is allowed",
                                                name, parameters.queue_size, smallest_queue));
    }
    if (parameters.max_request_bytes == 0 || parameters.max_request_bytes % blk::sector_size != 0) {
        throw std::invalid_argument(
            fmt::format("{}: largest request of {} bytes; a multiple of 512 is allowed", name,
                        parameters.max_request_bytes));
    }
    for (std::size_t i = 0; i < kernel.cpus.cpus(); ++i) {
        queues_.push_back(std::make_unique<block_queue>(kernel, scope, fmt::format("queue{}", i), name,
                                                        static_cast<std::uint16_t>(i)));
    }
}

bool virtio_blk_driver::probe(native_cpu& cpu, const pci_device& pci) {
    if (!kernel_.virtio.probe(cpu, device_, kernel_.pci, pci, supported_features)) {
        return false;
    }
    read_limits(cpu);
    if (!set_up_queues(cpu)) {
        device_.fail(cpu);
        return false;
    }
    device_.driver_ok(cpu);
    usable_ = true;
    return true;
}

void virtio_blk_driver::read_limits(native_cpu& cpu) {
    struct limits {
        std::uint64_t capacity;
        std::uint32_t size_max;
        std::uint32_t seg_max;
        std::uint16_t num_queues;
    };
    virtio_pci_transport& transport = device_.transport();
    const limits told = transport.read_config(cpu, [&] {
        return limits{
            .capacity = transport.config_field<std::uint64_t>(cpu, offsetof(blk::config, capacity)),
            .size_max = device_.has(blk::f_size_max)
                            ? transport.config_field<std::uint32_t>(cpu, offsetof(blk::config, size_max))
                            : ~std::uint32_t{0},
            .seg_max = device_.has(blk::f_seg_max)
                           ? transport.config_field<std::uint32_t>(cpu, offsetof(blk::config, seg_max))
                           : 1,
            .num_queues = device_.has(blk::f_mq)
                              ? transport.config_field<std::uint16_t>(cpu, offsetof(blk::config, num_queues))
                              : std::uint16_t{1},
        };
    });
    capacity_ = std::min(told.capacity, std::numeric_limits<std::uint64_t>::max() / blk::sector_size);
    read_only_ = device_.has(blk::f_ro);
    const std::uint64_t largest = std::min<std::uint64_t>(
        {told.size_max, device_.max_dma_size(), parameters_.max_request_bytes});
    max_segment_ = static_cast<std::uint32_t>(
        std::max(largest / blk::sector_size * blk::sector_size, blk::sector_size));
    max_segments_ = std::max(told.seg_max, 1U);
    queues_in_use_ = static_cast<std::uint16_t>(std::clamp<std::size_t>(told.num_queues, 1, queues_.size()));
}

bool virtio_blk_driver::set_up_queues(native_cpu& cpu) {
    std::vector<unsigned> servers(queues_in_use_);
    for (unsigned i = 0; i < servers.size(); ++i) {
        servers[i] = i;
    }
    if (!device_.request_vectors(
            cpu, kernel_.pci, kernel_.irqs, servers,
            [this](native_cpu& on, std::uint16_t index) { queue_interrupt(on, index); },
            [this](native_cpu& on) { config_interrupt(on); })) {
        return false;
    }
    for (std::uint16_t i = 0; i < queues_in_use_; ++i) {
        split_virtqueue& ring = queues_[i]->ring;
        if (!device_.add_queue(cpu, i, ring, parameters_.queue_size, kernel_.memory) ||
            ring.size() < smallest_queue) {
            return false;
        }
        // A chain is at most as long as the queue, indirect or not (2.7.5.3.1); two are header and status.
        max_segments_ = std::min<std::uint32_t>(max_segments_, ring.size() - 2U);
    }
    return true;
}

std::uint64_t virtio_blk_driver::submit(native_cpu& cpu, const block_request& request, block_callback done) {
    check(request);
    const std::uint32_t io = start_io(cpu, request, done);
    const std::uint64_t number = ios_[io].result.number;
    const block_status refused = refusal(request, ios_[io].result.bytes);
    if (refused != block_status::ok) {
        ios_[io].result.status = refused;
        finish_io(cpu, io);
        return number;
    }
    const auto index = static_cast<std::uint16_t>(cpu.number() % queues_in_use_);
    split(cpu, request, io, *queues_[index]);
    dispatch(cpu, index);
    return number;
}

void virtio_blk_driver::check(const block_request& request) const {
    if (request.operation != block_operation::read && request.operation != block_operation::write) {
        return;
    }
    for (const segment& part : request.data) {
        if (part.length == 0 || part.length % blk::sector_size != 0) {
            throw std::logic_error(fmt::format("{}: a segment of {} bytes is not a number of sectors",
                                               device_.name(), part.length));
        }
    }
    if (request.data.empty()) {
        throw std::logic_error(
            fmt::format("{}: a {} without data", device_.name(), to_name(request.operation)));
    }
}

std::uint32_t virtio_blk_driver::start_io(native_cpu& cpu, const block_request& request,
                                          block_callback done) {
    if (free_ios_.empty()) {
        free_ios_.push_back(static_cast<std::uint32_t>(ios_.size()));
        ios_.emplace_back();
    }
    const std::uint32_t index = free_ios_.back();
    free_ios_.pop_back();
    block_io& started = ios_[index];
    started.done = done;
    started.submitted = cpu.now();
    started.result = {.number = ++last_number_, .operation = request.operation};
    for (const segment& part : request.data) {
        started.result.bytes += part.length;
    }
    requests_.add(static_cast<std::size_t>(request.operation));
    submitted_.set(last_number_, started.submitted);
    request_state_.set(block_request_state::submitted, started.submitted);
    in_flight_.set(++ios_in_flight_, started.submitted);
    return index;
}

block_status virtio_blk_driver::refusal(const block_request& request, std::uint64_t bytes) const {
    if (!usable_) {
        return block_status::device_failed;
    }
    if (request.operation == block_operation::flush) {
        return device_.has(blk::f_flush) ? block_status::ok : block_status::unsupported;
    }
    if (request.operation == block_operation::get_id) {
        return block_status::ok;
    }
    if (request.operation == block_operation::write && read_only_) {
        return block_status::read_only;
    }
    const std::uint64_t sectors = bytes / blk::sector_size;
    return sectors <= capacity_ && request.sector <= capacity_ - sectors ? block_status::ok
                                                                         : block_status::out_of_range;
}

// The io counts one part more than it has while it is being split, so that it cannot complete meanwhile.
void virtio_blk_driver::split(native_cpu& cpu, const block_request& request, std::uint32_t io,
                              block_queue& to) {
    ios_[io].parts = 1;
    std::uint64_t sector = request.sector;
    std::optional<std::uint32_t> current = new_part(cpu, io, sector);
    for (const segment& whole : request.data) {
        for (std::uint32_t done = 0; current && done < whole.length;) {
            block_part& filling = parts_[*current];
            const std::uint32_t room = parameters_.max_request_bytes - filling.bytes;
            if (room == 0 || filling.data_segments() == max_segments_) {
                sector += filling.bytes / blk::sector_size;
                enqueue(cpu, *current, to);
                current = new_part(cpu, io, sector);
                continue;
            }
            const std::uint32_t length = std::min({whole.length - done, max_segment_, room});
            filling.segments.push_back({whole.at + done, length});
            filling.bytes += length;
            done += length;
        }
    }
    if (current) {
        enqueue(cpu, *current, to);
    } else {
        ios_[io].result.status = block_status::no_memory;
    }
    if (--ios_[io].parts == 0) {
        finish_io(cpu, io);
    }
}

std::optional<std::uint32_t> virtio_blk_driver::new_part(native_cpu& cpu, std::uint32_t io,
                                                         std::uint64_t sector) {
    if (free_parts_.empty()) {
        const std::optional<phys_addr> memory = kernel_.memory.alloc(block_part::memory_size);
        if (!memory) {
            return std::nullopt;
        }
        free_parts_.push_back(static_cast<std::uint32_t>(parts_.size()));
        parts_.emplace_back().header = *memory;
    }
    const std::uint32_t index = free_parts_.back();
    free_parts_.pop_back();
    block_part& fresh = parts_[index];
    fresh.io = io;
    fresh.number = ios_[io].result.number;
    fresh.operation = ios_[io].result.operation;
    fresh.sector = sector;
    fresh.bytes = 0;
    fresh.requeued = false;
    fresh.since = cpu.now();
    fresh.segments.clear();
    fresh.segments.push_back({fresh.header, sizeof(blk::request_header)});
    ++ios_[io].parts;
    return index;
}

void virtio_blk_driver::enqueue(native_cpu& cpu, std::uint32_t part, block_queue& to) {
    parts_[part].segments.push_back({parts_[part].status(), 1});
    const spinlock::guard locked(to.lock, cpu);
    if (to.waiting.full()) {
        to.waiting.set_capacity(2 * to.waiting.capacity());
    }
    to.waiting.push_back(part);
}

void virtio_blk_driver::dispatch(native_cpu& cpu, std::uint16_t index) {
    block_queue& from = *queues_[index];
    bool notify = false;
    {
        const spinlock::guard locked(from.lock, cpu);
        while (usable_ && !from.waiting.empty() && start_first(cpu, from)) {
        }
        if (usable_ && !from.waiting.empty()) {
            requeue(cpu, index, parts_[from.waiting.front()]);
        }
        notify = usable_ && from.ring.kick_prepare(cpu);
    }
    if (notify) {
        const native_cpu::call_scope named(cpu, queue_rq_call_.origin());
        device_.transport().notify(cpu, index);
        request_state_.set(block_request_state::notified, cpu.now());
    } else if (!usable_) {
        fail_waiting(cpu, from, block_status::device_failed, sc_core::SC_ZERO_TIME);
    }
}

/// \returns whether the part that waits first was started
bool virtio_blk_driver::start_first(native_cpu& cpu, block_queue& from) {
    const std::uint32_t index = from.waiting.front();
    block_part& first = parts_[index];
    const driver_call call(cpu, queue_rq_call_);
    const bool whole_device = first.operation == block_operation::flush ||
                              first.operation == block_operation::get_id;
    const blk::request_header header{
        .type = virtio::le32(static_cast<std::uint32_t>(type_of(first.operation))),
        .reserved = virtio::le32(0),
        .sector = virtio::le64(whole_device ? 0 : first.sector)};
    cpu.write(first.header, std::as_bytes(std::span(&header, 1)));
    cpu.store(first.status(), block_part::no_status);

    const std::size_t readable = first.operation == block_operation::write ? first.segments.size() - 1 : 1;
    if (from.ring.add(cpu, first.segments, readable, index, ios_[first.io].submitted) !=
        split_virtqueue::add_result::added) {
        return false;
    }
    from.waiting.pop_front();
    parts_started_.add();
    if (first.requeued) {
        recovered_.add();
    }
    request_state_.set(block_request_state::available, cpu.now());
    return true;
}

void virtio_blk_driver::requeue(native_cpu& cpu, std::uint16_t index, block_part& refused) {
    block_queue& from = *queues_[index];
    retries_.add();
    if (!refused.requeued) {
        refused.requeued = true;
        requeued_.add();
    }
    request_state_.set(block_request_state::requeued, cpu.now());
    if (from.ring.in_flight() == 0 && !from.retry_planned) {
        from.retry_planned = true;
        kernel_.cpus.defer(cpu, parameters_.resource_delay,
                           [this, index](native_cpu& on) { retry(on, index); });
    }
}

void virtio_blk_driver::retry(native_cpu& cpu, std::uint16_t index) {
    block_queue& from = *queues_[index];
    from.retry_planned = false;
    if (from.ring.in_flight() == 0) {
        fail_waiting(cpu, from, block_status::no_memory, parameters_.resource_timeout);
    }
    dispatch(cpu, index);
}

block_status virtio_blk_driver::execute(native_cpu& cpu, const block_request& request) {
    completion finished(cpu, {.what = "a request's completion", .whose = device_.name()});
    block_status status = block_status::ok;
    submit(cpu, request, [this, &finished, &status](native_cpu& on, const block_completion& result) {
        status = result.status;
        kernel_.cpus.complete(on, finished);
    });
    kernel_.cpus.wait_for(cpu, finished);
    return status;
}

block_status virtio_blk_driver::read(native_cpu& cpu, std::uint64_t sector, phys_addr to,
                                     std::uint32_t bytes) {
    const segment data{to, bytes};
    return execute(cpu, {.operation = block_operation::read, .sector = sector, .data = {&data, 1}});
}

block_status virtio_blk_driver::write(native_cpu& cpu, std::uint64_t sector, phys_addr from,
                                      std::uint32_t bytes) {
    const segment data{from, bytes};
    return execute(cpu, {.operation = block_operation::write, .sector = sector, .data = {&data, 1}});
}

block_status virtio_blk_driver::flush(native_cpu& cpu) {
    return execute(cpu, {.operation = block_operation::flush});
}

std::optional<std::string> virtio_blk_driver::get_id(native_cpu& cpu) {
    const std::optional<phys_addr> memory = kernel_.memory.alloc(blk::id_bytes);
    if (!memory) {
        return std::nullopt;
    }
    const segment data{*memory, blk::id_bytes};
    const block_status status = execute(cpu, {.operation = block_operation::get_id, .data = {&data, 1}});
    std::string id(blk::id_bytes, '\0');
    cpu.read(*memory, std::as_writable_bytes(std::span(id)));
    kernel_.memory.free(*memory, blk::id_bytes);
    if (status != block_status::ok) {
        return std::nullopt;
    }
    id.resize(std::min(id.find('\0'), id.size()));
    return id;
}

}  // namespace pefsim::guest
