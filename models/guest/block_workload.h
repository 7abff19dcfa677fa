// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

#include "guest/kernel.h"

namespace pefsim::guest {

/// A mix of reads and writes of blocks of one size, several in flight on each CPU that takes part.
struct block_workload {
    std::uint32_t block_size = 4096;                      ///< bytes, a multiple of 512
    unsigned depth = 8;                                   ///< requests in flight, of each CPU
    std::uint64_t total_bytes = std::uint64_t{16} << 20;  ///< to be moved, rounded down to whole blocks
    unsigned read_percent = 50;                           ///< share of reads, 0 .. 100
    bool random = true;  ///< else the blocks in their order, from the start again after the last
    /// Each write puts a pattern of its own into its block; each read of a block that was written here is compared.
    /// Without it the buffers stay as they are.
    bool verify = true;
    /// With `verify`: when the mix is through, each block that it has written is read once more and compared; no part
    /// of the figures but `read_back` and `mismatches`.
    bool read_back = false;
    /// Clears the buffers first, as init_on_alloc=1 does: SWIOTLB copies what a buffer held before into the pool even
    /// when the device is to fill it, so recycled memory that is not cleared shows the host its old content.
    bool clear_buffers = true;
    std::uint64_t first_sector = 0;  ///< of the part of the disk that is used
    std::uint64_t sectors = 0;       ///< 0: up to the end of the disk, at most `most_blocks` blocks
    std::uint64_t seed = 1;          ///< of the order, the mix and the patterns

    static constexpr std::uint64_t most_blocks = std::uint64_t{1} << 20;
};

/// What came of it.
struct block_workload_result {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t errors = 0;      ///< requests that did not end with `ok`
    std::uint64_t verified = 0;    ///< blocks compared
    std::uint64_t written = 0;     ///< different blocks
    std::uint64_t read_back = 0;   ///< blocks compared behind the mix
    std::uint64_t mismatches = 0;  ///< compared blocks with other content than was written
    sc_core::sc_time duration;
    sc_core::sc_time cpu_time;      ///< of all CPUs that took part, each from its own start to its own end
    cpu::native::time_use cpu_use;  ///< what that went into
    [[nodiscard]] std::uint64_t requests() const { return reads + writes; }
    [[nodiscard]] bool ok() const { return errors == 0 && mismatches == 0; }
    [[nodiscard]] double bytes_per_second() const {
        return duration == sc_core::SC_ZERO_TIME ? 0 : static_cast<double>(bytes) / duration.to_seconds();
    }
};

/// \throws kernel_panic when a parameter makes no sense for this disk, or memory runs out
block_workload_result run_block_workload(kernel& in, native_cpu& cpu, virtio_blk_driver& disk,
                                         const block_workload& what);
/// The same on all CPUs at once: each has its own part of the disk's blocks and its share of the bytes.
block_workload_result run_block_workload_on_every_cpu(kernel& in, native_cpu& cpu, virtio_blk_driver& disk,
                                                      const block_workload& what);

/// Fills `to` with the pattern of version `version` of block `block`; different for every seed, block and version.
void fill_block_pattern(std::span<std::byte> to, std::uint64_t seed, std::uint64_t block,
                        std::uint64_t version);

/// Copies a whole disk and flushes the copy. Each CPU copies a part of it, `depth` chunks at once.
struct disk_copy {
    std::uint32_t chunk = 64U << 10;  ///< bytes, a multiple of 512
    unsigned depth = 8;               ///< chunks under way, of each CPU
    bool clear_buffers = true;        ///< as in block_workload
};
struct disk_copy_result {
    std::uint64_t bytes = 0;  ///< written
    std::uint64_t errors = 0;
    sc_core::sc_time duration;
    [[nodiscard]] bool ok() const { return errors == 0; }
};
/// \throws kernel_panic when `to` is smaller than `from`, a parameter makes no sense, or memory runs out
disk_copy_result copy_disk(kernel& in, native_cpu& cpu, virtio_blk_driver& from, virtio_blk_driver& to,
                           const disk_copy& how = {});

}  // namespace pefsim::guest
