// SPDX-License-Identifier: Apache-2.0
#include "virtio/block.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string>

#include "timing/simulation_time.h"

namespace pefsim::virtio {

namespace blk = abi::virtio::blk;
using sc_core::sc_time;
using timing::simulation_time;

namespace {

constexpr std::size_t scratch_size = std::size_t{64} << 10;

/// Request types, the operation each asks for, and the feature that it needs.
struct type_row {
    blk::request_type type;
    block_operation operation;
    std::uint64_t feature;
};
constexpr type_row types[] = {
    {blk::request_type::in, block_operation::read, 0},
    {blk::request_type::out, block_operation::write, 0},
    {blk::request_type::flush, block_operation::flush, blk::f_flush},
    {blk::request_type::get_id, block_operation::get_id, 0},
    {blk::request_type::discard, block_operation::discard, blk::f_discard},
    {blk::request_type::write_zeroes, block_operation::write_zeroes, blk::f_write_zeroes},
};

const block::config& checked(const block::config& parameters) {
    if (!std::has_single_bit(parameters.blk_size) || parameters.blk_size < blk::sector_size) {
        throw std::invalid_argument(
            fmt::format("block device: blk_size {} is no power of two of at least 512", parameters.blk_size));
    }
    if (parameters.config_wce && !parameters.flush) {
        throw std::invalid_argument("block device: config_wce needs flush (VIRTIO 1.2, 5.2.5.2)");
    }
    if (!(parameters.costs.block_gb_per_s > 0) || !(parameters.costs.block_latency_us >= 0)) {
        throw std::invalid_argument(
            "block device: block_bandwidth must be above 0 and block_latency not below");
    }
    return parameters;
}

}  // namespace

block::block(const sc_core::sc_module_name& module_name, trace::recorder& recorder, const config& parameters)
    : virtio_device(module_name, recorder, {parameters.queues, parameters.queue_size}, parameters.costs),
      config_(checked(parameters)),
      service_latency_(parameters.costs.block_latency_us, sc_core::SC_US),
      ns_per_byte_(1.0 / parameters.costs.block_gb_per_s),
      commands_(slots()),
      scratch_(scratch_size),
      operations_(recorder.metrics(), name(), "operations", "requests", "requests by operation",
                  {block_operation_names.begin(), block_operation_names.end()}),
      bytes_read_(recorder.metrics(), name(), "bytes_read", "bytes", "from the disk into guest memory"),
      bytes_written_(recorder.metrics(), name(), "bytes_written", "bytes", "from guest memory to the disk") {
    if (config_.seg_max == 0) {
        config_.seg_max = std::max(1, config_.queue_size - 2);
    }
    for (std::uint16_t i = 0; i < parameters.queues; ++i) {
        operation_.emplace_back(recorder, queue(i).scope(), "operation",
                                "what the request taken last asks for");
    }
}

// --- configuration

std::uint64_t block::features() const {
    return blk::f_seg_max | blk::f_blk_size | (config_.size_max != 0 ? blk::f_size_max : 0) |
           (config_.flush ? blk::f_flush : 0) | (config_.config_wce ? blk::f_config_wce : 0) |
           (config_.queues > 1 ? blk::f_mq : 0) |
           (disk->read_only()
                ? blk::f_ro
                : (config_.discard ? blk::f_discard : 0) | (config_.write_zeroes ? blk::f_write_zeroes : 0));
}

blk::config block::configuration() const {
    blk::config c{};
    c.capacity = disk->size() / blk::sector_size;
    c.size_max = config_.size_max;
    c.seg_max = config_.seg_max;
    c.blk_size = config_.blk_size;
    c.writeback = writeback_ ? 1 : 0;
    c.num_queues = config_.queues;
    const std::uint64_t offered = features();
    if ((offered & blk::f_discard) != 0) {
        c.max_discard_sectors = max_zone_sectors;
        c.max_discard_seg = max_zones;
        c.discard_sector_alignment = config_.blk_size / static_cast<std::uint32_t>(blk::sector_size);
    }
    if ((offered & blk::f_write_zeroes) != 0) {
        c.max_write_zeroes_sectors = max_zone_sectors;
        c.max_write_zeroes_seg = max_zones;
        c.write_zeroes_may_unmap = 1;
    }
    return c;
}

void block::read_config(std::size_t offset, std::span<std::byte> to) const {
    const blk::config c = configuration();
    const auto bytes = std::as_bytes(std::span{&c, 1});
    std::ranges::fill(to, std::byte{0});
    if (offset < bytes.size()) {
        const std::size_t size = std::min(to.size(), bytes.size() - offset);
        std::ranges::copy(bytes.subspan(offset, size), to.begin());
    }
}

bool block::write_config(std::size_t offset, std::span<const std::byte> from) {
    const bool writable = (negotiated_features() & blk::f_config_wce) != 0;
    if (!writable || offset != offsetof(blk::config, writeback) || from.size() != 1 ||
        from[0] > std::byte{1}) {
        return false;
    }
    writeback_ = from[0] == std::byte{1};
    return true;
}

// 5.2.5.2, 5.2.6.2: a driver that knows of flush gets a cache; one that does not gets stable writes.
void block::features_changed() { writeback_ = (negotiated_features() & blk::f_flush) != 0; }

// --- requests

bool block::supported(block_operation operation) const {
    const auto row = std::ranges::find(types, operation, &type_row::operation);
    return (negotiated_features() & row->feature) == row->feature;
}

block::command block::decode(const request& what, sc_time& delay) {
    command c;
    blk::request_header header;
    if (what.chain.readable_bytes() < sizeof header || what.chain.writable_bytes() == 0) {
        c.operation = block_operation::malformed;
        c.status = blk::request_status::ioerr;
        breach(what, "block request without header or status byte", delay);
        return c;
    }
    if (!gather(what, 0, std::as_writable_bytes(std::span{&header, 1}), delay)) {
        c.operation = block_operation::malformed;
        c.status = blk::request_status::ioerr;
        return c;
    }
    const auto row = std::ranges::find(types, static_cast<blk::request_type>(std::uint32_t{header.type}),
                                       &type_row::type);
    if (row == std::end(types) || !supported(row->operation)) {
        c.operation = block_operation::unsupported;
        c.status = blk::request_status::unsupp;
        return c;
    }
    c.operation = row->operation;
    const bool zones = c.operation == block_operation::discard ||
                       c.operation == block_operation::write_zeroes;
    c.bytes = c.operation == block_operation::write || zones ? what.chain.readable_bytes() - sizeof header
                                                             : what.chain.writable_bytes() - 1;
    if (zones) {
        take_zones(what, c, delay);
    } else if (c.operation == block_operation::read || c.operation == block_operation::write) {
        c.offset = header.sector;  // in sectors until the range is known to be good
        check_range(what, c, delay);
    }
    return c;
}

void block::check_range(const request& what, command& c, const sc_time& delay) {
    const std::uint64_t capacity = disk->size() / blk::sector_size;
    const std::uint64_t sector = c.offset;
    if (c.bytes % blk::sector_size != 0) {
        c.status = blk::request_status::ioerr;
        breach(what, fmt::format("{} of {} bytes, which are no whole sectors", to_name(c.operation), c.bytes),
               delay);
    } else if (sector > capacity || c.bytes / blk::sector_size > capacity - sector) {
        c.status = blk::request_status::ioerr;
        breach(what,
               fmt::format("{} of {} bytes at sector {} goes beyond the capacity of {} sectors",
                           to_name(c.operation), c.bytes, sector, capacity),
               delay);
    } else if (c.operation == block_operation::write && disk->read_only()) {
        c.status = blk::request_status::ioerr;
    } else {
        c.offset = sector * blk::sector_size;
    }
}

// 5.2.6.1, 5.2.6.2. The request's bytes become those of its zones that have to be written.
void block::take_zones(const request& what, command& c, sc_time& delay) {
    const std::uint64_t count = c.bytes / sizeof(blk::zone);
    if (count == 0 || count > max_zones || c.bytes % sizeof(blk::zone) != 0) {
        c.status = blk::request_status::ioerr;
        breach(what,
               fmt::format("{} with {} bytes of zones; 1 to {} of 16 bytes are allowed", to_name(c.operation),
                           c.bytes, max_zones),
               delay);
        return;
    }
    c.zones.resize(count);
    if (!gather(what, sizeof(blk::request_header), std::as_writable_bytes(std::span{c.zones}), delay)) {
        c.status = blk::request_status::ioerr;
        return;
    }
    c.bytes = 0;
    for (const blk::zone& each : c.zones) {
        check_zone(what, c, each, delay);
        const bool written = c.operation == block_operation::write_zeroes &&
                             (each.flags & blk::zone_unmap) == 0;
        c.bytes += written ? each.num_sectors * blk::sector_size : 0;
    }
}

void block::check_zone(const request& what, command& c, const blk::zone& each, const sc_time& delay) {
    if (c.status != blk::request_status::ok) {
        return;
    }
    const bool discards = c.operation == block_operation::discard;
    const std::uint64_t capacity = disk->size() / blk::sector_size;
    const std::uint64_t sector = each.sector;
    const std::uint32_t sectors = each.num_sectors;
    const std::uint32_t flags = each.flags;
    const char* wrong = nullptr;
    if ((flags & ~(discards ? 0 : blk::zone_unmap)) != 0) {
        c.status = blk::request_status::unsupp;
        wrong = "has flags that are not allowed";
    } else if (sectors > max_zone_sectors) {
        c.status = blk::request_status::ioerr;
        wrong = "is too long";
    } else if (sector > capacity || sectors > capacity - sector) {
        c.status = blk::request_status::ioerr;
        wrong = "goes beyond the capacity";
    }
    if (wrong != nullptr) {
        breach(what,
               fmt::format("{} of {} sectors at sector {} with flags {:#x} {}", to_name(c.operation), sectors,
                           sector, flags, wrong),
               delay);
    }
}

sc_time block::completion_time(const command& c, const sc_time& start) {
    const bool media = c.status == blk::request_status::ok && c.operation != block_operation::get_id;
    if (!media) {
        return start;
    }
    const double bytes = c.operation == block_operation::flush ? 0.0 : static_cast<double>(c.bytes);
    channel_free_ = std::max(channel_free_, start + service_latency_) +
                    sc_time(bytes * ns_per_byte_, sc_core::SC_NS);
    return channel_free_;
}

void block::begin(request& what, sc_time& delay) {
    command& c = commands_[what.slot];
    c = decode(what, delay);
    const sc_time now = simulation_time() + delay;
    operation_[what.queue->index()].set(c.operation, now);
    operations_.add(static_cast<std::size_t>(c.operation));
    classify(what, to_name(c.operation));
    finish_at(what, completion_time(c, now));
}

void block::finish(request& what, sc_time& delay) {
    command& c = commands_[what.slot];
    const std::uint64_t writable = what.chain.writable_bytes();
    std::uint64_t written = 0;  // from the start of the device-writable part, without gaps
    if (c.status == blk::request_status::ok) {
        switch (c.operation) {
        case block_operation::read:
            written = read(what, c, delay);
            break;
        case block_operation::write:
            write(what, c, delay);
            break;
        case block_operation::flush:
            c.status = disk->flush() ? c.status : blk::request_status::ioerr;
            break;
        case block_operation::get_id:
            written = get_id(what, c, delay);
            break;
        case block_operation::discard:
        case block_operation::write_zeroes:
            clear_zones(c);
            break;
        default:
            break;
        }
    }
    if (c.status != blk::request_status::ok) {
        count_error();
    }
    // The status is the last byte of the request (5.2.6), wherever the driver's descriptors put it.
    if (writable != 0) {
        const auto status = static_cast<std::byte>(c.status);
        if (scatter(what, writable - 1, {&status, 1}, delay) && written == writable - 1) {
            ++written;
        }
    }
    complete(what, written);
}

std::uint64_t block::read(const request& what, command& c, sc_time& delay) {
    std::uint64_t done = 0;
    while (done < c.bytes) {
        const auto piece = std::span{scratch_}.first(
            std::min<std::uint64_t>(scratch_.size(), c.bytes - done));
        if (!disk->read(c.offset + done, piece) || !scatter(what, done, piece, delay)) {
            c.status = blk::request_status::ioerr;
            break;
        }
        done += piece.size();
    }
    bytes_read_.add(done);
    return done;
}

void block::write(const request& what, command& c, sc_time& delay) {
    std::uint64_t done = 0;
    while (done < c.bytes) {
        const auto piece = std::span{scratch_}.first(
            std::min<std::uint64_t>(scratch_.size(), c.bytes - done));
        if (!gather(what, sizeof(blk::request_header) + done, piece, delay) ||
            !disk->write(c.offset + done, piece)) {
            c.status = blk::request_status::ioerr;
            break;
        }
        done += piece.size();
    }
    bytes_written_.add(done);
    make_stable(c);
}

void block::clear_zones(command& c) {
    for (const blk::zone& each : c.zones) {
        const std::uint64_t at = each.sector * blk::sector_size;
        const std::uint64_t size = each.num_sectors * blk::sector_size;
        const bool unmap = (each.flags & blk::zone_unmap) != 0;
        if (size != 0 && !(c.operation == block_operation::discard ? disk->discard(at, size)
                                                                   : disk->write_zeroes(at, size, unmap))) {
            c.status = blk::request_status::ioerr;
            return;
        }
    }
    make_stable(c);
}

/// Without a cache a request that changed the disk is answered when nothing can undo it.
void block::make_stable(command& c) {
    if (!writeback_ && c.status == blk::request_status::ok && !disk->flush()) {
        c.status = blk::request_status::ioerr;
    }
}

std::uint64_t block::get_id(const request& what, command& c, sc_time& delay) {
    std::array<std::byte, blk::id_bytes> id{};
    std::memcpy(id.data(), disk->id().data(), std::min(disk->id().size(), id.size()));
    const std::size_t size = std::min<std::uint64_t>(id.size(), c.bytes);
    if (!scatter(what, 0, std::span{id}.first(size), delay)) {
        c.status = blk::request_status::ioerr;
        return 0;
    }
    return size;
}

}  // namespace pefsim::virtio
