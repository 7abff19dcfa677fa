// SPDX-License-Identifier: Apache-2.0
#include "backend/cluster_overlay.h"

#include <new>
#include <sys/mman.h>

namespace pefsim::backend {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t clusters_per_slab = huge_page / cluster_overlay::cluster_size;

}  // namespace

cluster_overlay::cluster_overlay(std::uint64_t size)
    : size_(size),
      clusters_((size + cluster_size - 1) / cluster_size) {}

std::byte* cluster_overlay::allocate() {
    if (clusters_left_ == 0) {
        // A disk that is smaller than a slab takes what it can fill.
        clusters_left_ = std::min(clusters_per_slab, clusters_.size());
        const std::size_t bytes = clusters_left_ * cluster_size;
        slabs_.emplace_back(static_cast<std::byte*>(
            std::aligned_alloc(bytes == huge_page ? huge_page : cluster_size, bytes)));
        if (!slabs_.back()) {
            throw std::bad_alloc{};
        }
        if (bytes == huge_page) {
            // A fault for every 4 KiB costs as much as a quarter of a simulated request. Kernels without huge pages refuse
            // the advice, and need it not.
            (void)madvise(slabs_.back().get(), bytes, MADV_HUGEPAGE);
        }
    }
    const std::size_t last = std::min(clusters_per_slab, clusters_.size()) - clusters_left_--;
    return slabs_.back().get() + last * cluster_size;
}

}  // namespace pefsim::backend
