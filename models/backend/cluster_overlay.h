// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace pefsim::backend {

/// Writes in host memory over a base that stays as it is: clusters of 64 KiB, allocated when they are first written. In
/// a cluster each block of 4 KiB is the base's until it is written, so that a small write neither reads nor touches the
/// rest. Clusters stand in slabs of 2 MiB in order of their first writes, so that the host can back them with huge
/// pages.
///
/// The base is a parameter of each call: `bool base(std::uint64_t offset, std::span<std::byte> to)`.
class cluster_overlay {
public:
    static constexpr std::uint64_t cluster_size = std::uint64_t{64} << 10;
    static constexpr std::uint64_t block_size = std::uint64_t{4} << 10;

    explicit cluster_overlay(std::uint64_t size);

    template <class Base>
    bool read(std::uint64_t offset, std::span<std::byte> to, const Base& base) const {
        return for_clusters(
            offset, to, [&](std::uint64_t index, std::uint64_t within, std::span<std::byte> piece) {
                const cluster& from = clusters_[index];
                return from.for_runs(within, piece.size(),
                                     [&](bool written, std::uint64_t at, std::uint64_t bytes) {
                                         const auto run = piece.subspan(at - within, bytes);
                                         if (!written) {
                                             return base(index * cluster_size + at, run);
                                         }
                                         std::memcpy(run.data(), from.memory + at, bytes);
                                         return true;
                                     });
            });
    }

    template <class Base>
    bool write(std::uint64_t offset, std::span<const std::byte> from, const Base& base) {
        return for_clusters(
            offset, from, [&](std::uint64_t index, std::uint64_t within, std::span<const std::byte> piece) {
                cluster& to = clusters_[index];
                if (to.memory == nullptr) [[unlikely]] {
                    to.memory = allocate();
                }
                const std::uint64_t end = within + piece.size();
                if (!complete(index, within, base) || !complete(index, end, base)) {
                    return false;
                }
                std::memcpy(to.memory + within, piece.data(), piece.size());
                for (std::uint64_t block = within / block_size; block * block_size < end; ++block) {
                    to.mark(block);
                }
                return true;
            });
    }

    /// The first offset, not before `offset`, in a cluster that has been written to; the disk's size if there is none.
    [[nodiscard]] std::uint64_t next_written(std::uint64_t offset) const;

private:
    struct cluster {
        std::byte* memory = nullptr;
        std::uint16_t blocks = 0;  ///< bit n: block n stands in memory

        [[nodiscard]] bool holds(std::uint64_t block) const { return (blocks >> block & 1) != 0; }
        void mark(std::uint64_t block) { blocks = static_cast<std::uint16_t>(blocks | 1U << block); }

        /// Calls act(written, offset in the cluster, bytes) for each stretch of blocks that are all written, or all
        /// not.
        template <class Act>
        bool for_runs(std::uint64_t within, std::uint64_t size, const Act& act) const {
            const std::uint64_t end = within + size;
            for (std::uint64_t at = within; at < end;) {
                const bool written = holds(at / block_size);
                std::uint64_t stop = at;
                do {
                    stop = std::min((stop / block_size + 1) * block_size, end);
                } while (stop < end && holds(stop / block_size) == written);
                if (!act(written, at, stop - at)) {
                    return false;
                }
                at = stop;
            }
            return true;
        }
    };
    static_assert(cluster_size / block_size == 16);

    /// A write begins or ends at `edge` of the cluster: what else the block there has comes from the base.
    template <class Base>
    bool complete(std::uint64_t index, std::uint64_t edge, const Base& base) {
        cluster& in = clusters_[index];
        const std::uint64_t block = edge / block_size;
        const std::uint64_t begin = index * cluster_size + block * block_size;
        if (edge % block_size == 0 || index * cluster_size + edge >= size_ || in.holds(block)) {
            return true;
        }
        const std::size_t bytes = std::min(block_size, size_ - begin);
        if (!base(begin, std::span{in.memory + block * block_size, bytes})) {
            return false;
        }
        in.mark(block);
        return true;
    }

    template <class Bytes, class Act>
    static bool for_clusters(std::uint64_t offset, Bytes bytes, const Act& act) {
        while (!bytes.empty()) {
            const std::uint64_t within = offset % cluster_size;
            const std::size_t piece = std::min<std::uint64_t>(bytes.size(), cluster_size - within);
            if (!act(offset / cluster_size, within, bytes.first(piece))) {
                return false;
            }
            offset += piece;
            bytes = bytes.subspan(piece);
        }
        return true;
    }

    std::byte* allocate();

    static constexpr std::size_t slab_size = std::size_t{2} << 20;  // a huge page of the host
    struct alignas(slab_size) slab {
        std::array<std::byte, slab_size> bytes;
    };

    std::uint64_t size_;
    struct release {
        void operator()(cluster* table) const { std::free(table); }  // NOLINT: of calloc
    };
    /// Zeros that the host does not touch before we do: the table of a disk of 4 TiB is 1 GiB.
    std::unique_ptr<cluster[], release> clusters_;  // NOLINT(modernize-avoid-c-arrays)
    std::size_t count_;
    std::vector<std::unique_ptr<slab>> slabs_;
    std::size_t clusters_left_ = 0;  // in the last slab
};

}  // namespace pefsim::backend
