// SPDX-License-Identifier: Apache-2.0
#include "guest/block_workload.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <random>

#include "guest/block_slots.h"

namespace pefsim::guest {

namespace {

constexpr std::uint64_t sector_size = abi::virtio::blk::sector_size;

buffer io_buffer(kernel& in, native_cpu& cpu, std::size_t bytes, bool cleared) {
    buffer memory = in.alloc(bytes);
    if (cleared) {
        cpu.fill(memory.at(), bytes, std::byte{0});
    }
    return memory;
}

void check(bool sensible, std::string_view what) {
    if (!sensible) {
        throw kernel_panic(fmt::format("block workload: {}", what));
    }
}

/// The run of one block_workload.
class block_mix {
public:
    block_mix(kernel& in, native_cpu& cpu, virtio_blk_driver& disk, const block_workload& what)
        : kernel_(in),
          cpu_(cpu),
          disk_(disk),
          what_(what),
          blocks_(usable_blocks()),
          random_(what.seed),
          slots_(in, cpu, what.depth),
          version_(what.verify ? blocks_ : 0),
          busy_(blocks_),
          staging_(what.block_size) {
        for (unsigned i = 0; i < what.depth; ++i) {
            operations_.push_back(
                {io_buffer(in, cpu, what.block_size, what.clear_buffers), block_operation::read, 0});
        }
    }

    block_workload_result run() {
        const sc_core::sc_time begin = cpu_.now();
        const cpu::native::time_use used_before = cpu_.used();
        const std::uint64_t total = what_.total_bytes / what_.block_size;
        kernel_.expect_requests(total);
        std::uint64_t started = 0;
        for (std::size_t slot = 0; slot < operations_.size() && started < total; ++slot, ++started) {
            start(slot);
        }
        while (slots_.in_flight() != 0) {
            const block_slots::completed done = slots_.next(cpu_);
            finish(done);
            if (started < total) {
                start(done.slot);
                ++started;
            }
        }
        result_.duration = cpu_.now() - begin;
        result_.cpu_time = result_.duration;
        result_.cpu_use = cpu_.used();
        result_.cpu_use -= used_before;
        result_.written = version_.size() - static_cast<std::uint64_t>(std::ranges::count(version_, 0U));
        if (what_.read_back) {
            kernel_.expect_requests(result_.written);
            read_back();
        }
        return result_;
    }

private:
    struct operation {
        buffer memory;
        block_operation kind;
        std::uint64_t block;
    };

    std::uint64_t usable_blocks() const {
        check(what_.block_size != 0 && what_.block_size % sector_size == 0,
              "the block size is not a multiple of 512");
        check(what_.depth != 0 && what_.read_percent <= 100, "depth 0, or more than 100 percent of reads");
        check(what_.first_sector < disk_.capacity(), "it begins beyond the end of the disk");
        const std::uint64_t there = disk_.capacity() - what_.first_sector;
        check(what_.sectors <= there, "it ends beyond the end of the disk");
        const std::uint64_t blocks = (what_.sectors != 0 ? what_.sectors : there) * sector_size /
                                     what_.block_size;
        check(blocks >= what_.depth, "fewer blocks than requests in flight");
        return std::min(blocks, block_workload::most_blocks);
    }

    /// No block is in two requests at once.
    std::uint64_t next_block() {
        std::uint64_t block = what_.random ? random_() % blocks_ : sequential_;
        while (busy_[block]) {
            block = (block + 1) % blocks_;
        }
        sequential_ = (block + 1) % blocks_;
        return block;
    }

    void start(std::size_t slot) {
        operation& started = operations_[slot];
        started.kind = random_() % 100 < what_.read_percent ? block_operation::read : block_operation::write;
        started.block = next_block();
        busy_[started.block] = true;
        if (started.kind == block_operation::write && what_.verify) {
            fill_block_pattern(staging_, what_.seed, started.block, ++version_[started.block]);
            cpu_.write(started.memory.at(), staging_);
        }
        submit(slot);
    }

    void submit(std::size_t slot) {
        const operation& started = operations_[slot];
        const segment data{started.memory.at(), what_.block_size};
        const std::uint64_t sector = what_.first_sector + started.block * (what_.block_size / sector_size);
        slots_.submit(cpu_, slot, disk_, {.operation = started.kind, .sector = sector, .data = {&data, 1}});
    }

    void read_back() {
        std::uint64_t next = 0;
        const auto start_next = [&](std::size_t slot) {
            next = static_cast<std::uint64_t>(
                std::find_if(version_.begin() + static_cast<std::ptrdiff_t>(next), version_.end(),
                             [](std::uint64_t version) { return version != 0; }) -
                version_.begin());
            if (next != version_.size()) {
                operations_[slot].kind = block_operation::read;
                operations_[slot].block = next++;
                submit(slot);
            }
        };
        for (std::size_t slot = 0; slot < operations_.size(); ++slot) {
            start_next(slot);
        }
        while (slots_.in_flight() != 0) {
            const block_slots::completed done = slots_.next(cpu_);
            if (done.result.ok()) {
                ++result_.read_back;
                result_.mismatches += is_as_written(operations_[done.slot]) ? 0 : 1;
            }
            start_next(done.slot);
        }
    }

    void finish(const block_slots::completed& done) {
        const operation& finished = operations_[done.slot];
        busy_[finished.block] = false;
        const bool reads = finished.kind == block_operation::read;
        ++(reads ? result_.reads : result_.writes);
        if (!done.result.ok()) {
            ++result_.errors;
            return;
        }
        result_.bytes += what_.block_size;
        if (reads && what_.verify && version_[finished.block] != 0) {
            ++result_.verified;
            result_.mismatches += is_as_written(finished) ? 0 : 1;
        }
    }

    bool is_as_written(const operation& finished) {
        fill_block_pattern(staging_, what_.seed, finished.block, version_[finished.block]);
        found_.resize(staging_.size());
        cpu_.read(finished.memory.at(), found_);
        return found_ == staging_;
    }

    kernel& kernel_;
    native_cpu& cpu_;
    virtio_blk_driver& disk_;
    block_workload what_;
    std::uint64_t blocks_;
    std::mt19937_64 random_;
    block_slots slots_;
    std::vector<operation> operations_;   // by slot
    std::vector<std::uint64_t> version_;  // by block; 0: not written here
    std::vector<bool> busy_;              // by block
    std::uint64_t sequential_ = 0;
    std::vector<std::byte> staging_;
    std::vector<std::byte> found_;
    block_workload_result result_;
};

}  // namespace

void fill_block_pattern(std::span<std::byte> to, std::uint64_t seed, std::uint64_t block,
                        std::uint64_t version) {
    std::uint64_t state = seed * 0x9e37'79b9'7f4a'7c15 ^ block * 0xbf58'476d'1ce4'e5b9 ^
                          version * 0x94d0'49bb'1331'11eb;
    for (std::size_t i = 0; i < to.size(); i += sizeof state) {
        state += 0x9e37'79b9'7f4a'7c15;
        const std::uint64_t word = (state ^ (state >> 29)) * 0xbf58'476d'1ce4'e5b9;
        std::memcpy(to.data() + i, &word, std::min(sizeof word, to.size() - i));
    }
}

namespace {

/// Part `number` of `parts` of a whole, which need not divide evenly: where it begins.
std::uint64_t begin_of_part(std::uint64_t whole, std::uint64_t number, std::uint64_t parts) {
    return whole / parts * number + std::min(number, whole % parts);
}

block_workload part_of(const block_workload& what, const virtio_blk_driver& disk, std::uint64_t number,
                       std::uint64_t cpus) {
    check(what.block_size >= sector_size && what.first_sector < disk.capacity(),
          "block size, or where on the disk it begins");
    const std::uint64_t block_sectors = what.block_size / sector_size;
    const std::uint64_t there = what.sectors != 0 ? what.sectors : disk.capacity() - what.first_sector;
    const std::uint64_t blocks = std::min(there / block_sectors, block_workload::most_blocks);
    check(blocks >= cpus, "fewer blocks than CPUs");
    const std::uint64_t requests = what.total_bytes / what.block_size;
    const std::uint64_t first = begin_of_part(blocks, number, cpus);
    block_workload part = what;
    part.first_sector += first * block_sectors;
    part.sectors = (begin_of_part(blocks, number + 1, cpus) - first) * block_sectors;
    part.total_bytes = (begin_of_part(requests, number + 1, cpus) - begin_of_part(requests, number, cpus)) *
                       what.block_size;
    part.seed += number;
    return part;
}

}  // namespace

block_workload_result run_block_workload(kernel& in, native_cpu& cpu, virtio_blk_driver& disk,
                                         const block_workload& what) {
    return block_mix(in, cpu, disk, what).run();
}

block_workload_result run_block_workload_on_every_cpu(kernel& in, native_cpu& cpu, virtio_blk_driver& disk,
                                                      const block_workload& what) {
    if (in.cpus() == 1) {
        return run_block_workload(in, cpu, disk, what);
    }
    block_workload_result all;
    const sc_core::sc_time begin = cpu.now();
    in.on_every_cpu(cpu, [&](native_cpu& on) {
        const block_workload_result part = run_block_workload(in, on, disk,
                                                              part_of(what, disk, on.number(), in.cpus()));
        all.reads += part.reads;
        all.writes += part.writes;
        all.bytes += part.bytes;
        all.errors += part.errors;
        all.verified += part.verified;
        all.written += part.written;
        all.read_back += part.read_back;
        all.mismatches += part.mismatches;
        all.cpu_time += part.cpu_time;
        all.cpu_use += part.cpu_use;
    });
    all.duration = cpu.now() - begin;
    return all;
}

namespace {

/// Copies the sectors `first` .. `end` - 1 on one CPU.
disk_copy_result copy_sectors(kernel& in, native_cpu& cpu, virtio_blk_driver& from, virtio_blk_driver& to,
                              const disk_copy& how, std::uint64_t first, std::uint64_t end) {
    struct chunk {
        buffer memory;
        segment data;
        std::uint64_t sector;
        bool read;
    };
    disk_copy_result result;
    block_slots slots(in, cpu, how.depth);
    std::vector<chunk> chunks;
    std::uint64_t next = first;
    const auto start_read = [&](std::size_t slot) {
        if (next == end) {
            return;
        }
        chunk& reading = chunks[slot];
        const auto sectors = std::min<std::uint64_t>(end - next, how.chunk / sector_size);
        reading.data = {reading.memory.at(), static_cast<std::uint32_t>(sectors * sector_size)};
        reading.sector = next;
        reading.read = false;
        next += sectors;
        slots.submit(
            cpu, slot, from,
            {.operation = block_operation::read, .sector = reading.sector, .data = {&reading.data, 1}});
    };
    for (std::size_t slot = 0; slot < how.depth; ++slot) {
        chunks.push_back({io_buffer(in, cpu, how.chunk, how.clear_buffers), {}, 0, false});
        start_read(slot);
    }
    while (slots.in_flight() != 0) {
        const auto [slot, done] = slots.next(cpu);
        chunk& finished = chunks[slot];
        if (done.ok() && !finished.read) {
            finished.read = true;
            slots.submit(cpu, slot, to,
                         {.operation = block_operation::write,
                          .sector = finished.sector,
                          .data = {&finished.data, 1}});
            continue;
        }
        result.errors += done.ok() ? 0 : 1;
        result.bytes += done.ok() ? finished.data.length : 0;
        start_read(slot);
    }
    return result;
}

}  // namespace

disk_copy_result copy_disk(kernel& in, native_cpu& cpu, virtio_blk_driver& from, virtio_blk_driver& to,
                           const disk_copy& how) {
    check(how.chunk != 0 && how.chunk % sector_size == 0 && how.depth != 0,
          "chunk size or depth of the copy");
    check(to.capacity() >= from.capacity(), "the disk is larger than the one it is to be copied to");
    const sc_core::sc_time begin = cpu.now();
    const std::uint64_t chunk_sectors = how.chunk / sector_size;
    const std::uint64_t chunks = (from.capacity() + chunk_sectors - 1) / chunk_sectors;
    in.expect_requests(2 * chunks);
    disk_copy_result result;
    in.on_every_cpu(cpu, [&](native_cpu& on) {
        const auto begin_of = [&](std::uint64_t number) {
            return std::min(begin_of_part(chunks, number, in.cpus()) * chunk_sectors, from.capacity());
        };
        const disk_copy_result part = copy_sectors(in, on, from, to, how, begin_of(on.number()),
                                                   begin_of(on.number() + 1));
        result.bytes += part.bytes;
        result.errors += part.errors;
    });
    const block_status flushed = to.flush(cpu);
    result.errors += flushed == block_status::ok || flushed == block_status::unsupported ? 0 : 1;
    result.duration = cpu.now() - begin;
    return result;
}

}  // namespace pefsim::guest
