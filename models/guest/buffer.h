// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "guest/slab_allocator.h"
#include "guest/split_virtqueue.h"

namespace pefsim::guest {

/// Guest memory that belongs to somebody: given back when the object goes. Physically contiguous, not cleared.
class buffer {
public:
    buffer(slab_allocator& from, phys_addr at, std::size_t size) : from_(&from), at_(at), size_(size) {
        from.note_buffer({at, size});
    }
    buffer(buffer&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)),
          at_(other.at_),
          size_(other.size_) {}
    buffer& operator=(buffer&& other) noexcept {
        std::swap(from_, other.from_);
        std::swap(at_, other.at_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~buffer() {
        if (from_ != nullptr) {
            from_->forget_buffer(at_);
            from_->free(at_, size_);
        }
    }

    [[nodiscard]] phys_addr at() const { return at_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] phys_addr at(std::size_t offset) const { return at_ + offset; }

private:
    slab_allocator* from_;
    phys_addr at_;
    std::size_t size_;
};

}  // namespace pefsim::guest
