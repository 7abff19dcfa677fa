// SPDX-License-Identifier: Apache-2.0
#include "guest/page_allocator.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::guest {

namespace {

abi::gfn pages_of(std::size_t size) {
    return (std::max<std::size_t>(size, 1) + abi::page_size - 1) >> abi::page_shift;
}

}  // namespace

page_allocator::page_allocator(trace::recorder& recorder, std::string_view scope, std::uint64_t ram_size)
    : ram_size_(ram_size),
      runs_{{0, ram_size >> abi::page_shift}},
      free_pages_(ram_size >> abi::page_shift),
      pages_in_use_(recorder.metrics(), scope, "pages_in_use", "pages",
                    "64 KiB pages taken from the page allocator") {
    if (ram_size == 0 || ram_size % abi::page_size != 0) {
        throw std::logic_error(
            fmt::format("page_allocator: RAM of {} bytes is not a number of 64 KiB pages", ram_size));
    }
}

void page_allocator::take(position from, abi::gfn first, abi::gfn count) {
    const run whole = *from;
    const run before{whole.first, first - whole.first};
    const run after{first + count, whole.end() - (first + count)};
    if (before.count != 0 && after.count != 0) {
        *from = before;
        runs_.insert(from + 1, after);
    } else if (before.count != 0) {
        *from = before;
    } else if (after.count != 0) {
        *from = after;
    } else {
        runs_.erase(from);
    }
    free_pages_ -= count;
}

void page_allocator::reserve(phys_addr at, std::size_t size) {
    const abi::gfn first = abi::gfn_of(at);
    const abi::gfn end = abi::gfn_of(at + (std::max<std::size_t>(size, 1) - 1)) + 1;
    const auto holds_first = [first](const run& r) { return r.first <= first && first < r.end(); };
    const auto found = std::ranges::find_if(runs_, holds_first);
    if (found == runs_.end() || end > found->end()) {
        throw std::logic_error(
            fmt::format("page_allocator: {} bytes at {:#x} are not free to reserve", size, at.value()));
    }
    take(found, first, end - first);
    reserved_.push_back({first, end - first});
}

std::optional<phys_addr> page_allocator::alloc_pages(std::size_t size, std::size_t alignment) {
    if (!std::has_single_bit(alignment)) {
        throw std::logic_error(
            fmt::format("page_allocator: alignment of {} is not a power of two", alignment));
    }
    const abi::gfn count = pages_of(size);
    const abi::gfn step = std::max<abi::gfn>(alignment >> abi::page_shift, 1);
    for (auto candidate = runs_.begin(); candidate != runs_.end(); ++candidate) {
        const abi::gfn first = (candidate->first + step - 1) / step * step;
        if (first < candidate->end() && candidate->end() - first >= count) {
            take(candidate, first, count);
            pages_in_use_.set(pages_in_use_.value() + count);
            return abi::page_base(first);
        }
    }
    return std::nullopt;
}

void page_allocator::free_pages(phys_addr at, std::size_t size) {
    run freed{abi::gfn_of(at), pages_of(size)};
    const auto overlaps = [freed](const run& r) { return r.first < freed.end() && freed.first < r.end(); };
    const auto next = std::ranges::find_if(runs_, [freed](const run& r) { return r.end() > freed.first; });
    const bool in_ram = freed.end() <= ram_size_ >> abi::page_shift;
    if (abi::page_offset(at) != 0 || !in_ram || (next != runs_.end() && overlaps(*next)) ||
        std::ranges::any_of(reserved_, overlaps)) {
        throw std::logic_error(
            fmt::format("page_allocator: {} bytes at {:#x} are not allocated", size, at.value()));
    }
    free_pages_ += freed.count;
    pages_in_use_.set(pages_in_use_.value() - freed.count);

    const bool touches_next = next != runs_.end() && next->first == freed.end();
    const bool touches_previous = next != runs_.begin() && (next - 1)->end() == freed.first;
    if (touches_previous && touches_next) {
        (next - 1)->count += freed.count + next->count;
        runs_.erase(next);
    } else if (touches_previous) {
        (next - 1)->count += freed.count;
    } else if (touches_next) {
        next->first = freed.first;
        next->count += freed.count;
    } else {
        runs_.insert(next, freed);
    }
}

}  // namespace pefsim::guest
