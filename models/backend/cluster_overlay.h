// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace pefsim::backend {

/// Writes in host memory over a base that stays as it is: clusters of 64 KiB, allocated when they are first written.
///
/// The base is a parameter of each call: `bool base(std::uint64_t offset, std::span<std::byte> to)`.
class cluster_overlay {
public:
    static constexpr std::uint64_t cluster_size = std::uint64_t{64} << 10;

    explicit cluster_overlay(std::uint64_t size)
        : size_(size),
          clusters_((size + cluster_size - 1) / cluster_size) {}

    template <class Base>
    bool read(std::uint64_t offset, std::span<std::byte> to, const Base& base) const {
        return for_clusters(offset, to,
                            [&](std::uint64_t cluster, std::uint64_t within, std::span<std::byte> piece) {
                                if (!clusters_[cluster]) {
                                    return base(cluster * cluster_size + within, piece);
                                }
                                std::memcpy(piece.data(), clusters_[cluster].get() + within, piece.size());
                                return true;
                            });
    }

    template <class Base>
    bool write(std::uint64_t offset, std::span<const std::byte> from, const Base& base) {
        return for_clusters(offset, from, [&](std::uint64_t cluster, std::uint64_t within, auto piece) {
            if (!clusters_[cluster] && !allocate(cluster, piece.size(), base)) {
                return false;
            }
            std::memcpy(clusters_[cluster].get() + within, piece.data(), piece.size());
            return true;
        });
    }

    [[nodiscard]] std::uint64_t allocated_clusters() const { return allocated_; }

private:
    template <class Base>
    bool allocate(std::uint64_t cluster, std::size_t to_be_written, const Base& base) {
        const std::uint64_t begin = cluster * cluster_size;
        const std::size_t bytes = std::min(cluster_size, size_ - begin);
        auto memory = std::make_unique_for_overwrite<std::byte[]>(cluster_size);
        if (to_be_written < bytes && !base(begin, std::span{memory.get(), bytes})) {
            return false;
        }
        clusters_[cluster] = std::move(memory);
        ++allocated_;
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

    std::uint64_t size_;
    std::uint64_t allocated_ = 0;
    std::vector<std::unique_ptr<std::byte[]>> clusters_;
};

}  // namespace pefsim::backend
