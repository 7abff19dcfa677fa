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
/// rest. Blocks that are zeroed take no memory; that of a cluster which has no other ones any more is the next one's.
/// Clusters stand in slabs of 2 MiB in order of their first writes, so that the host can back them with huge pages.
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
                                     [&](holder where, std::uint64_t at, std::uint64_t bytes) {
                                         const auto run = piece.subspan(at - within, bytes);
                                         switch (where) {
                                         case holder::base:
                                             return base(index * cluster_size + at, run);
                                         case holder::memory:
                                             std::memcpy(run.data(), from.memory + at, bytes);
                                             break;
                                         case holder::nobody:
                                             std::memset(run.data(), 0, bytes);
                                             break;
                                         }
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

    /// These bytes read as zeros from now on.
    template <class Base>
    bool zero(std::uint64_t offset, std::uint64_t size, const Base& base) {
        for (const std::uint64_t end = offset + size; offset < end;) {
            const std::uint64_t index = offset / cluster_size;
            const std::uint64_t within = offset % cluster_size;
            const std::uint64_t bytes = std::min(cluster_size - within, end - offset);
            if (!zero_in(index, within, within + bytes, base)) {
                return false;
            }
            offset += bytes;
        }
        return true;
    }

    /// The first offset, not before `offset`, in a cluster that has been written to; the disk's size if there is none.
    [[nodiscard]] std::uint64_t next_written(std::uint64_t offset) const;

private:
    /// Who has a block's bytes; nobody: they are zeros.
    enum class holder : std::uint8_t { base, memory, nobody };

    struct cluster {
        std::byte* memory = nullptr;
        std::uint16_t blocks = 0;  ///< bit n: block n stands in memory
        std::uint16_t zeros = 0;   ///< bit n: block n is zeros

        [[nodiscard]] bool holds(std::uint64_t block) const { return (blocks >> block & 1) != 0; }
        [[nodiscard]] holder holder_of(std::uint64_t block) const {
            return holds(block) ? holder::memory : (zeros >> block & 1) != 0 ? holder::nobody : holder::base;
        }
        void mark(std::uint64_t block) {
            blocks = static_cast<std::uint16_t>(blocks | 1U << block);
            zeros = static_cast<std::uint16_t>(zeros & ~(1U << block));
        }
        void clear(std::uint64_t block) {
            blocks = static_cast<std::uint16_t>(blocks & ~(1U << block));
            zeros = static_cast<std::uint16_t>(zeros | 1U << block);
        }

        /// Calls act(holder, offset in the cluster, bytes) for each stretch of blocks that have the same one.
        template <class Act>
        bool for_runs(std::uint64_t within, std::uint64_t size, const Act& act) const {
            const std::uint64_t end = within + size;
            for (std::uint64_t at = within; at < end;) {
                const holder where = holder_of(at / block_size);
                std::uint64_t stop = at;
                do {
                    stop = std::min((stop / block_size + 1) * block_size, end);
                } while (stop < end && holder_of(stop / block_size) == where);
                if (!act(where, at, stop - at)) {
                    return false;
                }
                at = stop;
            }
            return true;
        }
    };
    static_assert(cluster_size / block_size == 16);

    /// A write begins or ends at `edge` of the cluster: what else the block there has is put into memory.
    template <class Base>
    bool complete(std::uint64_t index, std::uint64_t edge, const Base& base) {
        cluster& in = clusters_[index];
        const std::uint64_t block = edge / block_size;
        const std::uint64_t begin = index * cluster_size + block * block_size;
        if (edge % block_size == 0 || index * cluster_size + edge >= size_ || in.holds(block)) {
            return true;
        }
        const std::span bytes{in.memory + block * block_size, std::min(block_size, size_ - begin)};
        if (in.holder_of(block) == holder::nobody) {
            std::ranges::fill(bytes, std::byte{0});
        } else if (!base(begin, bytes)) {
            return false;
        }
        in.mark(block);
        return true;
    }

    /// Of one cluster, bytes `begin` .. `end`.
    template <class Base>
    bool zero_in(std::uint64_t index, std::uint64_t begin, std::uint64_t end, const Base& base) {
        cluster& in = clusters_[index];
        const std::uint64_t disk_end = size_ - index * cluster_size;
        for (std::uint64_t at = begin; at < end;) {
            const std::uint64_t block = at / block_size;
            const std::uint64_t stop = std::min((block + 1) * block_size, end);
            const bool whole = at % block_size == 0 && (stop % block_size == 0 || stop == disk_end);
            if (whole) {
                in.clear(block);
            } else if (in.holder_of(block) != holder::nobody) {
                if (in.memory == nullptr) {
                    in.memory = allocate();
                }
                if (!complete(index, block * block_size + 1, base)) {
                    return false;
                }
                std::memset(in.memory + at, 0, stop - at);
            }
            at = stop;
        }
        if (in.blocks == 0 && in.memory != nullptr) {
            spare_.push_back(in.memory);
            in.memory = nullptr;
        }
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
    std::vector<std::byte*> spare_;  // memory of clusters that are zeros now
};

}  // namespace pefsim::backend
