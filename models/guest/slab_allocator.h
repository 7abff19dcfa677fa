// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "abi/address.h"
#include "guest/page_allocator.h"

namespace pefsim::guest {

/// Small pieces of kernel memory (kmalloc): request headers, status bytes, indirect descriptor tables, packet buffers.
///
/// Sizes are rounded up to a power of two, 32 bytes .. 32 KiB, and are aligned to it; more than 32 KiB is whole pages.
/// A page holds objects of one size and stays with it. What was freed last is taken first. Memory is not cleared.
///
/// Giving back more objects of a size than were taken is a bug of the caller: std::logic_error.
class slab_allocator {
public:
    static constexpr std::size_t smallest = 32;
    static constexpr std::size_t largest = abi::page_size / 2;

    explicit slab_allocator(page_allocator& pages) : pages_(pages) {}

    /// \returns nothing when memory has run out
    std::optional<phys_addr> alloc(std::size_t size);
    /// \param size bytes as given to alloc
    void free(phys_addr at, std::size_t size);

    // --- pieces that belong to a guest::buffer: for who writes behind the end of one
    struct piece {
        phys_addr at;
        std::size_t size = 0;
    };
    void note_buffer(const piece& taken) { buffers_[taken.at] = taken.size; }
    void forget_buffer(phys_addr at) { buffers_.erase(at); }
    /// The buffer that `at` lies in.
    [[nodiscard]] std::optional<piece> buffer_at(phys_addr at) const;

private:
    static constexpr std::size_t classes = 11;  // 32 << 0 .. 32 << 10
    struct size_class {
        std::vector<phys_addr> free_objects;
        std::size_t in_use = 0;
    };

    bool grow(size_class& objects, std::size_t object_size);

    page_allocator& pages_;
    std::map<phys_addr, std::size_t> buffers_;
    std::array<size_class, classes> classes_;
};

}  // namespace pefsim::guest
