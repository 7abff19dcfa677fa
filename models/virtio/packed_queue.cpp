// SPDX-License-Identifier: Apache-2.0
#include "virtio/packed_queue.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <stdexcept>
#include <utility>

namespace pefsim::virtio {

namespace spec = abi::virtio;
using sc_core::sc_time;
using spec::packed_desc;

namespace {

constexpr std::size_t ids = std::size_t{1} << 16;

template <class T>
std::span<std::byte> bytes_of(T* first, std::size_t count) {
    return std::as_writable_bytes(std::span{first, count});
}

}  // namespace

packed_queue::packed_queue(const layout& where) : virtqueue(where), descriptors_(ids) {
    if (layout_.size == 0 || layout_.size > spec::max_queue_size ||
        layout_.desc.value() % spec::desc_alignment != 0 ||
        layout_.driver.value() % spec::event_suppress_alignment != 0 ||
        layout_.device.value() % spec::event_suppress_alignment != 0) {
        throw std::logic_error(
            fmt::format("packed_queue: size {} or alignment of {:#x}, {:#x}, {:#x} is invalid", layout_.size,
                        layout_.desc.value(), layout_.driver.value(), layout_.device.value()));
    }
    pending_.reserve(layout_.size);
}

packed_queue::position packed_queue::advanced(position from, std::uint16_t by) const {
    const unsigned index = unsigned{from.index} + by;
    return index < layout_.size ? position{static_cast<std::uint16_t>(index), from.wrap}
                                : position{static_cast<std::uint16_t>(index - layout_.size), !from.wrap};
}

packed_queue::position packed_queue::gone_back(position from, std::uint16_t by) const {
    return from.index >= by
               ? position{static_cast<std::uint16_t>(from.index - by), from.wrap}
               : position{static_cast<std::uint16_t>(from.index + layout_.size - by), !from.wrap};
}

// 2.8.1: available when AVAIL is as the driver's wrap counter and USED is not.
bool packed_queue::available(const packed_desc& desc, bool wrap) {
    const bool avail = (desc.flags & spec::packed_f_avail) != 0;
    const bool used = (desc.flags & spec::packed_f_used) != 0;
    return avail == wrap && used != wrap;
}

// --- available descriptors

bool packed_queue::fetch(queue_memory& memory, const position& at, packed_desc& desc, sc_time& delay) {
    const bool held = at.index >= line_begin_ && at.index < line_end_ &&
                      available(line_[at.index - line_begin_], at.wrap);
    if (!held) {
        line_begin_ = at.index;
        line_end_ = at.index;
        const auto count = static_cast<std::uint16_t>(
            std::min<unsigned>(line_entries - at.index % line_entries, layout_.size - at.index));
        if (!memory.read(layout_.desc + spec::desc_offset(at.index), bytes_of(line_.data(), count), 0,
                         delay)) {
            return fail(queue_error::ring_unreadable);
        }
        line_end_ = static_cast<std::uint16_t>(at.index + count);
    }
    desc = line_[at.index - line_begin_];
    return true;
}

virtqueue::pop_result packed_queue::pop(queue_memory& memory, descriptor_chain& chain, sc_time& delay) {
    packed_desc desc{};
    if (error() != queue_error::none || !fetch(memory, next_, desc, delay)) {
        return pop_result::broken;
    }
    if (!available(desc, next_.wrap)) {
        return pop_result::empty;
    }
    if (!read_chain(memory, desc, chain, delay)) {
        return pop_result::broken;
    }
    const std::uint16_t id = chain.head();
    if (descriptors_[id] != 0) {
        fail(queue_error::head_in_flight);
        return pop_result::broken;
    }
    // What is in flight may not be used again: a driver that goes on past its own descriptors has lapped the device.
    if (descriptors_in_flight_ + chain_descriptors_ > layout_.size) {
        fail(queue_error::avail_index_jump);
        return pop_result::broken;
    }
    const bool anew = next_ == seen_;
    descriptors_[id] = chain_descriptors_;
    descriptors_in_flight_ += chain_descriptors_;
    ++in_flight_;
    next_ = advanced(next_, chain_descriptors_);
    if (anew) {
        seen_ = next_;
    }
    return pop_result::chain;
}

bool packed_queue::read_chain(queue_memory& memory, packed_desc desc, descriptor_chain& chain,
                              sc_time& delay) {
    chain.begin(0);
    chain_descriptors_ = 1;
    if ((desc.flags & spec::desc_f_indirect) != 0) {
        chain.set_head(desc.id);
        return read_table(memory, desc, chain, delay);
    }
    for (position at = next_;;) {
        if (!add_buffer({abi::dma_addr{desc.addr}, desc.len}, (desc.flags & spec::desc_f_write) != 0,
                        chain)) {
            return false;
        }
        if ((desc.flags & spec::desc_f_next) == 0) {
            chain.set_head(desc.id);  // 2.8.6: the last descriptor has the buffer's id
            return true;
        }
        if (chain_descriptors_ == layout_.size) {
            return fail(queue_error::chain_too_long);
        }
        ++chain_descriptors_;
        at = advanced(at, 1);
        if (!fetch(memory, at, desc, delay)) {
            return false;
        }
        if (!available(desc, at.wrap)) {  // D13
            return fail(queue_error::chain_not_available);
        }
        if ((desc.flags & spec::desc_f_indirect) != 0) {
            return fail(queue_error::indirect_and_next);
        }
    }
}

// 2.8.7: all descriptors of the table, in order; only their WRITE flags count.
bool packed_queue::read_table(queue_memory& memory, const packed_desc& desc, descriptor_chain& chain,
                              sc_time& delay) {
    if (!check_table(memory, desc.addr, desc.len)) {
        return false;
    }
    if ((desc.flags & spec::desc_f_next) != 0) {
        return fail(queue_error::indirect_and_next);
    }
    const std::size_t entries = desc.len / sizeof(packed_desc);
    if (entries > layout_.size) {
        return fail(queue_error::chain_too_long);
    }
    table_.resize(entries);
    if (!memory.read(abi::dma_addr{desc.addr}, bytes_of(table_.data(), entries), 0, delay)) {
        return fail(queue_error::ring_unreadable);
    }
    return std::ranges::all_of(table_, [&](const packed_desc& each) {
        if ((each.flags & spec::desc_f_indirect) != 0) {
            return fail(queue_error::indirect_nested);
        }
        return add_buffer({abi::dma_addr{each.addr}, each.len}, (each.flags & spec::desc_f_write) != 0,
                          chain);
    });
}

void packed_queue::put_back(std::uint16_t head) {
    const std::uint16_t count = descriptors_[head];
    if (count == 0) {
        throw std::logic_error(
            fmt::format("packed_queue: the device puts back buffer {}, which it does not have", head));
    }
    descriptors_[head] = 0;
    descriptors_in_flight_ -= count;
    --in_flight_;
    next_ = gone_back(next_, count);
}

// --- notifications of the driver (2.8.14, 2.8.20)

bool packed_queue::write_suppression(queue_memory& memory, std::uint16_t flags, sc_time& delay) {
    const std::uint16_t desc = flags == spec::event_desc ? seen_.encoded() : std::uint16_t{0};
    if (suppression_.flags == flags && suppression_.desc == desc) {
        return true;
    }
    suppression_.desc = desc;
    suppression_.flags = flags;
    return memory.write(layout_.device, bytes_of(&suppression_, 1), 0, delay) ||
           fail(queue_error::ring_unwritable);
}

bool packed_queue::enable_notifications(queue_memory& memory, sc_time& delay) {
    packed_desc desc{};
    line_end_ = line_begin_;
    return error() == queue_error::none &&
           write_suppression(memory, layout_.event_idx ? spec::event_desc : spec::event_enable, delay) &&
           fetch(memory, seen_, desc, delay) && available(desc, seen_.wrap);
}

void packed_queue::disable_notifications(queue_memory& memory, sc_time& delay) {
    if (error() == queue_error::none) {
        write_suppression(memory, spec::event_disable, delay);
    }
}

// --- used descriptors

void packed_queue::add_used(std::uint16_t head, std::uint32_t written) {
    if (descriptors_[head] == 0) {
        throw std::logic_error(
            fmt::format("packed_queue: the device returns buffer {}, which it does not have", head));
    }
    pending_.push_back({head, written});
}

// 2.8.6, 2.8.12: one used descriptor, in order of completion, where the first of a chain was; the others are skipped.
bool packed_queue::write_used(queue_memory& memory, const used_buffer& buffer, sc_time& delay) {
    packed_desc desc{};
    desc.len = buffer.written;
    desc.id = buffer.id;
    desc.flags = static_cast<std::uint16_t>((buffer.written != 0 ? spec::desc_f_write : 0U) |
                                            (used_.wrap ? spec::packed_f_avail | spec::packed_f_used : 0U));
    const auto part = bytes_of(&desc, 1).subspan(spec::packed_used_offset);
    if (!memory.write(layout_.desc + spec::desc_offset(used_.index) + spec::packed_used_offset, part, 0,
                      delay)) {
        return fail(queue_error::ring_unwritable);
    }
    return true;
}

bool packed_queue::publish(queue_memory& memory, sc_time& delay) {
    if (error() != queue_error::none || pending_.empty()) {
        return false;
    }
    std::uint16_t descriptors = 0;
    for (const used_buffer& buffer : pending_) {
        if (!write_used(memory, buffer, delay)) {
            return false;
        }
        const std::uint16_t count = std::exchange(descriptors_[buffer.id], std::uint16_t{0});
        descriptors_in_flight_ -= count;
        descriptors = static_cast<std::uint16_t>(descriptors + count);
        used_ = advanced(used_, count);
    }
    in_flight_ -= static_cast<unsigned>(pending_.size());
    pending_.clear();
    return driver_wants_interrupt(memory, descriptors, delay);
}

/// \param descriptors that were passed since it was asked last
bool packed_queue::driver_wants_interrupt(queue_memory& memory, std::uint16_t descriptors, sc_time& delay) {
    spec::event_suppress wish{};
    if (!memory.read(layout_.driver, bytes_of(&wish, 1), 0, delay)) {
        return fail(queue_error::ring_unreadable);
    }
    if (wish.flags != spec::event_desc || !layout_.event_idx) {
        return wish.flags != spec::event_disable;
    }
    const bool same_round = ((wish.desc & spec::packed_wrap) != 0) == used_.wrap;
    const auto event = static_cast<std::uint16_t>((wish.desc & ~spec::packed_wrap) -
                                                  (same_round ? 0 : layout_.size));
    return spec::need_event(event, used_.index, static_cast<std::uint16_t>(used_.index - descriptors));
}

}  // namespace pefsim::virtio
