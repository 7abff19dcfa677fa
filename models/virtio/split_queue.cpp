// SPDX-License-Identifier: Apache-2.0
#include "virtio/split_queue.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <span>
#include <stdexcept>

namespace pefsim::virtio {

using abi::virtio::avail_alignment;
using abi::virtio::avail_event_offset;
using abi::virtio::avail_f_no_interrupt;
using abi::virtio::avail_flags_offset;
using abi::virtio::avail_idx_offset;
using abi::virtio::avail_ring_offset;
using abi::virtio::desc_alignment;
using abi::virtio::desc_f_indirect;
using abi::virtio::desc_f_next;
using abi::virtio::desc_f_write;
using abi::virtio::desc_offset;
using abi::virtio::le16;
using abi::virtio::max_queue_size;
using abi::virtio::need_event;
using abi::virtio::used_alignment;
using abi::virtio::used_event_offset;
using abi::virtio::used_f_no_notify;
using abi::virtio::used_flags_offset;
using abi::virtio::used_idx_offset;
using abi::virtio::used_ring_offset;
using abi::virtio::vring_desc;
using abi::virtio::vring_used_elem;
using sc_core::sc_time;

namespace {

template <class T>
std::span<std::byte> bytes_of(T* first, std::size_t count) {
    return std::as_writable_bytes(std::span{first, count});
}

}  // namespace

split_queue::split_queue(const layout& where) : virtqueue(where) {
    if (!std::has_single_bit(layout_.size) || layout_.size > max_queue_size ||
        layout_.desc.value() % desc_alignment != 0 || layout_.driver.value() % avail_alignment != 0 ||
        layout_.device.value() % used_alignment != 0) {
        throw std::logic_error(
            fmt::format("split_queue: size {} or alignment of {:#x}, {:#x}, {:#x} is invalid", layout_.size,
                        layout_.desc.value(), layout_.driver.value(), layout_.device.value()));
    }
    entries_.resize(layout_.size);
    head_in_flight_.resize(layout_.size);
    pending_.reserve(layout_.size);
    if (layout_.indirect) {
        indirect_table_.resize(layout_.size);
    }
}

bool split_queue::read_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t& value, sc_time& delay) {
    le16 raw;
    if (!memory.read(at, bytes_of(&raw, 1), 0, delay)) {
        return fail(queue_error::ring_unreadable);
    }
    value = raw;
    return true;
}

bool split_queue::write_u16(queue_memory& memory, abi::dma_addr at, std::uint16_t value, sc_time& delay) {
    le16 raw = value;
    return memory.write(at, bytes_of(&raw, 1), 0, delay) || fail(queue_error::ring_unwritable);
}

bool split_queue::read_avail_index(queue_memory& memory, sc_time& delay) {
    std::uint16_t idx = 0;
    if (!read_u16(memory, layout_.driver + avail_idx_offset, idx, delay)) {
        return false;
    }
    if (static_cast<std::uint16_t>(idx - next_avail_) > layout_.size) {
        return fail(queue_error::avail_index_jump);
    }
    avail_seen_ = idx;
    entries_end_ = next_avail_;
    line_end_ = line_begin_;
    return true;
}

// The entries from next_avail_ up to the available index, or up to the end of the ring.
bool split_queue::read_avail_entries(queue_memory& memory, sc_time& delay) {
    const unsigned slot = next_avail_ & (layout_.size - 1U);
    const unsigned available = static_cast<std::uint16_t>(avail_seen_ - next_avail_);
    const unsigned count = std::min(available, layout_.size - slot);
    if (!memory.read(layout_.driver + avail_ring_offset(slot), bytes_of(&entries_[slot], count), 0, delay)) {
        return fail(queue_error::ring_unreadable);
    }
    entries_end_ = static_cast<std::uint16_t>(next_avail_ + count);
    return true;
}

split_queue::pop_result split_queue::pop(queue_memory& memory, descriptor_chain& chain, sc_time& delay) {
    if (error() != queue_error::none) {
        return pop_result::broken;
    }
    if (next_avail_ == avail_seen_) {
        if (!read_avail_index(memory, delay)) {
            return pop_result::broken;
        }
        if (next_avail_ == avail_seen_) {
            return pop_result::empty;
        }
    }
    if (next_avail_ == entries_end_ && !read_avail_entries(memory, delay)) {
        return pop_result::broken;
    }
    const std::uint16_t head = entries_[next_avail_ & (layout_.size - 1U)];
    if (head >= layout_.size) {
        fail(queue_error::head_out_of_range);
        return pop_result::broken;
    }
    if (head_in_flight_[head]) {
        fail(queue_error::head_in_flight);
        return pop_result::broken;
    }
    chain.begin(head);
    if (!read_chain(memory, chain, delay)) {
        return pop_result::broken;
    }
    head_in_flight_[head] = true;
    ++in_flight_;
    ++next_avail_;
    return pop_result::chain;
}

void split_queue::put_back(std::uint16_t head) {
    if (head >= layout_.size || !head_in_flight_[head] ||
        entries_[(next_avail_ - 1U) & (layout_.size - 1U)] != head) {
        throw std::logic_error(
            fmt::format("split_queue: the device puts back chain {}, which is not the last", head));
    }
    head_in_flight_[head] = false;
    --in_flight_;
    --next_avail_;
}

bool split_queue::read_chain(queue_memory& memory, descriptor_chain& chain, sc_time& delay) {
    cursor at{.entries = layout_.size, .index = chain.head()};
    vring_desc desc;
    for (;;) {
        if (!fetch(memory, at, desc, delay)) {
            return false;
        }
        if ((desc.flags & desc_f_indirect) != 0) {
            if (!enter_indirect(memory, desc, at, delay)) {
                return false;
            }
            continue;
        }
        if (++at.steps > at.entries) {
            return fail(queue_error::chain_loops);
        }
        if (!add_buffer({abi::dma_addr{desc.addr}, desc.len}, (desc.flags & desc_f_write) != 0, chain)) {
            return false;
        }
        if ((desc.flags & desc_f_next) == 0) {
            return true;
        }
        if (!step(desc, at)) {
            return false;
        }
    }
}

bool split_queue::fetch(queue_memory& memory, const cursor& at, vring_desc& desc, sc_time& delay) {
    if (at.indirect) {
        if (at.index < indirect_read_) {
            desc = indirect_table_[at.index];
            return true;
        }
        // A table may have more entries than the longest chain has descriptors; these are read one by one.
        return memory.read(at.table + desc_offset(at.index), bytes_of(&desc, 1), 0, delay) ||
               fail(queue_error::ring_unreadable);
    }
    if (at.index < line_begin_ || at.index >= line_end_) {
        line_begin_ = at.index & ~(line_entries - 1);
        line_end_ = line_begin_;
        const std::uint32_t count = std::min<std::uint32_t>(line_entries, layout_.size - line_begin_);
        if (!memory.read(layout_.desc + desc_offset(line_begin_), bytes_of(line_.data(), count), 0, delay)) {
            return fail(queue_error::ring_unreadable);
        }
        line_end_ = line_begin_ + count;
    }
    desc = line_[at.index - line_begin_];
    return true;
}

// 2.7.5.3. The WRITE flag of the descriptor that refers to the table means nothing (2.7.5.3.2).
bool split_queue::enter_indirect(queue_memory& memory, const vring_desc& desc, cursor& at, sc_time& delay) {
    const std::uint64_t table = desc.addr;
    const std::uint32_t length = desc.len;
    if (layout_.indirect && at.indirect) {
        return fail(queue_error::indirect_nested);
    }
    if (layout_.indirect && (desc.flags & desc_f_next) != 0) {
        return fail(queue_error::indirect_and_next);
    }
    if (!check_table(memory, table, length)) {
        return false;
    }
    const auto entries = static_cast<std::uint32_t>(length / sizeof(vring_desc));
    at = {.indirect = true, .table = abi::dma_addr{table}, .entries = entries, .index = 0};
    indirect_read_ = std::min<std::uint32_t>(entries, layout_.size);
    return memory.read(at.table, bytes_of(indirect_table_.data(), indirect_read_), 0, delay) ||
           fail(queue_error::ring_unreadable);
}

bool split_queue::step(const vring_desc& desc, cursor& at) {
    if (desc.next >= at.entries) {
        return fail(at.indirect ? queue_error::indirect_next_out_of_range : queue_error::next_out_of_range);
    }
    at.index = desc.next;
    return true;
}

bool split_queue::enable_notifications(queue_memory& memory, sc_time& delay) {
    if (error() != queue_error::none) {
        return false;
    }
    const std::uint16_t seen = avail_seen_;
    if (layout_.event_idx) {
        if (!avail_event_written_ || avail_event_ != seen) {
            if (!write_u16(memory, layout_.device + avail_event_offset(layout_.size), seen, delay)) {
                return false;
            }
            avail_event_written_ = true;
            avail_event_ = seen;
        }
    } else if (!notifications_on_) {
        if (!write_u16(memory, layout_.device + used_flags_offset, 0, delay)) {
            return false;
        }
        notifications_on_ = true;
    }
    return read_avail_index(memory, delay) && avail_seen_ != seen;
}

void split_queue::disable_notifications(queue_memory& memory, sc_time& delay) {
    if (error() != queue_error::none || layout_.event_idx || !notifications_on_) {
        return;
    }
    if (write_u16(memory, layout_.device + used_flags_offset, used_f_no_notify, delay)) {
        notifications_on_ = false;
    }
}

void split_queue::add_used(std::uint16_t head, std::uint32_t written) {
    if (head >= layout_.size || !head_in_flight_[head]) {
        throw std::logic_error(
            fmt::format("split_queue: the device returns chain {}, which it does not have", head));
    }
    head_in_flight_[head] = false;
    vring_used_elem element;
    element.id = head;
    element.len = written;
    pending_.push_back(element);
}

bool split_queue::write_used_elements(queue_memory& memory, sc_time& delay) {
    std::span<const vring_used_elem> rest{pending_};
    while (!rest.empty()) {
        const unsigned slot = used_idx_ & (layout_.size - 1U);
        const std::size_t count = std::min<std::size_t>(rest.size(), layout_.size - slot);
        if (!memory.write(layout_.device + used_ring_offset(slot), std::as_bytes(rest.first(count)), 0,
                          delay)) {
            return fail(queue_error::ring_unwritable);
        }
        used_idx_ = static_cast<std::uint16_t>(used_idx_ + count);
        rest = rest.subspan(count);
    }
    return true;
}

bool split_queue::publish(queue_memory& memory, sc_time& delay) {
    if (error() != queue_error::none || pending_.empty()) {
        return false;
    }
    const std::uint16_t old_idx = used_idx_;
    const bool written = write_used_elements(memory, delay) &&
                         write_u16(memory, layout_.device + used_idx_offset, used_idx_, delay);
    in_flight_ -= static_cast<unsigned>(pending_.size());
    pending_.clear();
    return written && driver_wants_interrupt(memory, old_idx, delay);
}

bool split_queue::driver_wants_interrupt(queue_memory& memory, std::uint16_t old_idx, sc_time& delay) {
    std::uint16_t value = 0;
    if (layout_.event_idx) {
        return read_u16(memory, layout_.driver + used_event_offset(layout_.size), value, delay) &&
               need_event(value, used_idx_, old_idx);
    }
    return read_u16(memory, layout_.driver + avail_flags_offset, value, delay) &&
           (value & avail_f_no_interrupt) == 0;
}

}  // namespace pefsim::virtio
