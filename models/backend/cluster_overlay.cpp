// SPDX-License-Identifier: Apache-2.0
#include "backend/cluster_overlay.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/mman.h>

namespace pefsim::backend {

cluster_overlay::cluster_overlay(std::uint64_t size)
    : size_(size),
      clusters_(static_cast<cluster*>(  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
          std::calloc((size + cluster_size - 1) / cluster_size, sizeof(cluster)))),
      count_((size + cluster_size - 1) / cluster_size) {
    if (!clusters_) {
        throw std::invalid_argument(
            fmt::format("a disk of {} bytes is too large to be kept in the host's memory", size));
    }
}

std::uint64_t cluster_overlay::next_written(std::uint64_t offset) const {
    for (std::size_t index = offset / cluster_size; index < count_; ++index) {
        if (clusters_[index].memory != nullptr) {
            return std::max(offset, index * cluster_size);
        }
    }
    return size_;
}

std::byte* cluster_overlay::allocate() {
    if (!spare_.empty()) {
        std::byte* const memory = spare_.back();
        spare_.pop_back();
        return memory;
    }
    constexpr std::size_t clusters_per_slab = slab_size / cluster_size;
    if (clusters_left_ == 0) {
        clusters_left_ = clusters_per_slab;
        slabs_.push_back(std::make_unique_for_overwrite<slab>());
        if (count_ >= clusters_per_slab) {
            // A fault for every 4 KiB costs as much as a quarter of a simulated request. Kernels without huge pages
            // refuse the advice, and need it not.
            (void)madvise(slabs_.back().get(), slab_size, MADV_HUGEPAGE);
        }
    }
    return slabs_.back()->bytes.data() + (clusters_per_slab - clusters_left_--) * cluster_size;
}

}  // namespace pefsim::backend
