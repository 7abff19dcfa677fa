// SPDX-License-Identifier: Apache-2.0
#include "guest/slab_allocator.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::guest {

namespace {

std::size_t class_of(std::size_t size) {
    constexpr unsigned smallest_shift = std::countr_zero(slab_allocator::smallest);
    return std::bit_width(std::max(size, slab_allocator::smallest) - 1) - smallest_shift;
}

}  // namespace

std::optional<phys_addr> slab_allocator::alloc(std::size_t size) {
    if (size > largest) {
        return pages_.alloc_pages(size, abi::page_size);
    }
    size_class& objects = classes_[class_of(size)];
    if (objects.free_objects.empty() && !grow(objects, smallest << class_of(size))) {
        return std::nullopt;
    }
    const phys_addr at = objects.free_objects.back();
    objects.free_objects.pop_back();
    ++objects.in_use;
    return at;
}

void slab_allocator::free(phys_addr at, std::size_t size) {
    if (size > largest) {
        pages_.free_pages(at, size);
        return;
    }
    size_class& objects = classes_[class_of(size)];
    if (objects.in_use == 0 || at.value() % (smallest << class_of(size)) != 0) {
        throw std::logic_error(
            fmt::format("slab_allocator: {} bytes at {:#x} are not allocated", size, at.value()));
    }
    --objects.in_use;
    objects.free_objects.push_back(at);
}

std::optional<slab_allocator::piece> slab_allocator::buffer_at(phys_addr at) const {
    auto behind = buffers_.upper_bound(at);
    if (behind == buffers_.begin()) {
        return std::nullopt;
    }
    const auto& [begin, size] = *--behind;
    return at.value() - begin.value() < size ? std::optional(piece{begin, size}) : std::nullopt;
}

bool slab_allocator::grow(size_class& objects, std::size_t object_size) {
    const std::optional<phys_addr> page = pages_.alloc_pages(abi::page_size, abi::page_size);
    if (!page) {
        return false;
    }
    const std::size_t count = abi::page_size / object_size;
    objects.free_objects.reserve(objects.free_objects.size() + objects.in_use + count);
    for (std::size_t i = count; i-- > 0;) {  // the lowest address is taken first
        objects.free_objects.push_back(*page + i * object_size);
    }
    return true;
}

}  // namespace pefsim::guest
