// SPDX-License-Identifier: Apache-2.0
#include "guest/split_virtqueue.h"

#include <array>
#include <fmt/format.h>
#include <numeric>
#include <stdexcept>

#include "abi/virtio.h"
#include "report/violations.h"

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;
using dma_ops::dma_data_direction;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

std::string signal_name(std::string_view queue, std::string_view what) {
    return fmt::format("{}_{}", queue, what);
}

}  // namespace

split_virtqueue::split_virtqueue(trace::recorder& recorder, const timing::timing& costs,
                                 std::string_view scope, std::string_view name, std::string_view device,
                                 std::uint16_t index)
    : recorder_(recorder),
      name_(name),
      device_name_(device),
      set_up_call_(recorder, costs, "virtqueue.set_up"),
      add_call_(recorder, costs, "virtqueue.add"),
      get_used_call_(recorder, costs, "virtqueue.get_buf"),
      avail_idx_signal_(recorder, scope, signal_name(name, "avail_idx"),
                        "index of the available ring, as published"),
      used_idx_signal_(recorder, scope, signal_name(name, "used_idx"),
                       "index of the used ring, as last seen"),
      in_flight_signal_(recorder, scope, signal_name(name, "in_flight"), "buffers with the device"),
      kicks_(recorder.metrics(), scope, signal_name(name, "kicks"), "notifications",
             "doorbells that the device wanted"),
      kicks_suppressed_(recorder.metrics(), scope, signal_name(name, "kicks_suppressed"), "notifications",
                        "doorbells that the device did not want"),
      journeys_(recorder.journeys().of(device, index)) {}

bool split_virtqueue::set_up(native_cpu& cpu, dma_ops::dma_ops_if& operations, dma_ops::dma_device& device,
                             slab_allocator& tables, std::uint16_t size, std::uint64_t features) {
    const driver_call call(cpu, set_up_call_);
    avail_offset_ = align_up(virtio::desc_area_size(size), virtio::avail_alignment);
    used_offset_ = align_up(avail_offset_ + virtio::avail_area_size(size), virtio::used_alignment);
    rings_size_ = used_offset_ + virtio::used_area_size(size);
    const std::optional<dma_ops::coherent_buffer> rings = operations.alloc(cpu, device, rings_size_);
    if (!rings) {
        return false;
    }
    rings_ = *rings;
    cpu.fill(rings_.cpu_address, rings_size_, std::byte{0});

    operations_ = &operations;
    device_ = &device;
    tables_ = &tables;
    indirect_ = (features & virtio::f_indirect_desc) != 0;
    event_idx_ = (features & virtio::f_event_idx) != 0;
    broken_ = false;
    interrupts_enabled_ = true;
    size_ = num_free_ = size;
    free_head_ = outstanding_ = avail_idx_ = last_used_ = 0;
    added_ = 0;
    next_.resize(size);
    std::iota(next_.begin(), next_.end(), std::uint16_t{1});
    chains_.assign(size, chain{});
    return true;
}

void split_virtqueue::tear_down(native_cpu& cpu) {
    if (!ready()) {
        return;
    }
    if (outstanding_ != 0) {
        throw std::logic_error(
            fmt::format("{} {}: torn down with {} buffers outstanding", device_name_, name_, outstanding_));
    }
    operations_->free(cpu, *device_, rings_size_, rings_);
    size_ = num_free_ = 0;
}

bool split_virtqueue::map(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                          chain& into) {
    into.segments.clear();
    into.writable = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const segment& part = segments[i];
        const dma_data_direction direction = i < readable ? dma_data_direction::to_device
                                                          : dma_data_direction::from_device;
        const dma_addr at = operations_->map_page(cpu, *device_, abi::page_base(abi::gfn_of(part.at)),
                                                  abi::page_offset(part.at), part.length, direction, 0);
        if (operations_->mapping_error(at)) {
            unmap(cpu, into);
            return false;
        }
        into.segments.push_back({at, part.length, direction});
        into.writable += i < readable ? 0 : part.length;
    }
    return true;
}

void split_virtqueue::unmap(native_cpu& cpu, chain& from) {
    for (const mapping& part : from.segments) {
        operations_->unmap_page(cpu, *device_, part.at, part.length, part.direction, 0);
    }
    from.segments.clear();
}

// 2.7.5.3: the whole chain in a table of its own, for which one descriptor stands in the ring.
bool split_virtqueue::write_indirect(native_cpu& cpu, std::uint16_t head, sc_core::sc_time& mapping_time) {
    chain& buffer = chains_[head];
    table_.clear();
    for (const mapping& part : buffer.segments) {
        const auto next = static_cast<std::uint16_t>(table_.size() + 1);
        const bool last = next == buffer.segments.size();
        std::uint16_t flags = part.direction == dma_data_direction::from_device ? virtio::desc_f_write : 0;
        flags |= last ? 0 : virtio::desc_f_next;
        table_.push_back({virtio::le64(part.at.value()), virtio::le32(part.length), virtio::le16(flags),
                          virtio::le16(last ? std::uint16_t{0} : next)});
    }
    const std::span bytes = std::as_bytes(std::span(table_));
    const std::optional<phys_addr> table = tables_->alloc(bytes.size());
    if (!table) {
        return false;
    }
    cpu.write(*table, bytes);
    const sc_core::sc_time begin = cpu.now();
    const dma_addr at = operations_->map_page(cpu, *device_, abi::page_base(abi::gfn_of(*table)),
                                              abi::page_offset(*table), bytes.size(),
                                              dma_data_direction::to_device, 0);
    mapping_time += cpu.now() - begin;
    if (operations_->mapping_error(at)) {
        tables_->free(*table, bytes.size());
        return false;
    }
    buffer.table = *table;
    buffer.table_dma = at;
    buffer.table_bytes = static_cast<std::uint32_t>(bytes.size());
    buffer.descriptors = 1;

    const std::array descriptors{virtio::vring_desc{virtio::le64(at.value()),
                                                    virtio::le32(buffer.table_bytes),
                                                    virtio::le16(virtio::desc_f_indirect), virtio::le16(0)}};
    cpu.write(descriptor(head), std::as_bytes(std::span(descriptors)));
    return true;
}

// The free list's own order is the chain's.
void split_virtqueue::write_direct(native_cpu& cpu, std::uint16_t head) {
    chain& buffer = chains_[head];
    std::uint16_t index = head;
    for (std::size_t i = 0; i < buffer.segments.size(); ++i) {
        const mapping& part = buffer.segments[i];
        const bool last = i + 1 == buffer.segments.size();
        std::uint16_t flags = part.direction == dma_data_direction::from_device ? virtio::desc_f_write : 0;
        flags |= last ? 0 : virtio::desc_f_next;
        const std::array descriptors{
            virtio::vring_desc{virtio::le64(part.at.value()), virtio::le32(part.length), virtio::le16(flags),
                               virtio::le16(last ? std::uint16_t{0} : next_[index])}};
        cpu.write(descriptor(index), std::as_bytes(std::span(descriptors)));
        index = next_[index];
    }
    buffer.table_bytes = 0;
    buffer.descriptors = static_cast<std::uint16_t>(buffer.segments.size());
}

split_virtqueue::add_result split_virtqueue::add(native_cpu& cpu, std::span<const segment> segments,
                                                 std::size_t readable, std::uint32_t token,
                                                 const sc_core::sc_time& submitted) {
    if (broken_) {
        return add_result::broken;
    }
    if (segments.empty() || segments.size() > size_ || readable > segments.size()) {
        throw std::logic_error(fmt::format("{} {}: a buffer of {} segments, {} readable, for a queue of {}",
                                           device_name_, name_, segments.size(), readable, size_));
    }
    const driver_call call(cpu, add_call_);
    const bool indirect = indirect_ && segments.size() > 1;
    if (num_free_ < (indirect ? 1 : segments.size())) {
        return add_result::no_space;
    }
    const std::uint16_t head = free_head_;
    chain& buffer = chains_[head];
    const native_cpu::request_scope on(cpu, journeys_.next_number());
    report::queue_journeys::way_there way{.submitted = submitted, .entered = cpu.now()};
    const sc_core::sc_time copied = cpu.used().copies;
    if (!map(cpu, segments, readable, buffer)) {
        return add_result::no_mapping;
    }
    way.mapping = cpu.now() - way.entered;
    if (!indirect) {
        write_direct(cpu, head);
    } else if (!write_indirect(cpu, head, way.mapping)) {
        unmap(cpu, buffer);
        return add_result::no_mapping;
    }
    way.copying = cpu.used().copies - copied;
    buffer.token = token;
    make_available(cpu, head, way);
    return add_result::added;
}

void split_virtqueue::make_available(native_cpu& cpu, std::uint16_t head,
                                     report::queue_journeys::way_there way) {
    chain& buffer = chains_[head];
    buffer.outstanding = true;
    for (std::uint16_t i = 0; i < buffer.descriptors; ++i) {
        free_head_ = next_[free_head_];
    }
    num_free_ -= buffer.descriptors;
    ++outstanding_;

    const std::uint32_t slot = avail_idx_ & (size_ - 1U);
    cpu.store<std::uint16_t>(avail(virtio::avail_ring_offset(slot)), head);
    cpu.barrier();  // 2.7.13.3.1: descriptors and ring before the index
    ++avail_idx_;
    ++added_;
    way.available = cpu.now();
    journeys_.made_available(head, way);  // before the device can see it
    cpu.store<std::uint16_t>(avail(virtio::avail_idx_offset), avail_idx_);
    avail_idx_signal_.set(avail_idx_, cpu.now());
    in_flight_signal_.set(outstanding_, cpu.now());
}

bool split_virtqueue::kick_prepare(native_cpu& cpu) {
    const std::uint32_t added = added_;
    added_ = 0;
    if (added == 0 || broken_) {
        return false;
    }
    cpu.barrier();  // 2.7.13.4.1: the index before the device's wish is read
    bool wanted = true;
    if (!event_idx_) {
        const auto flags = cpu.load<std::uint16_t>(used(virtio::used_flags_offset));
        wanted = (flags & virtio::used_f_no_notify) == 0;
    } else if (added <= 0xffff) {
        const auto event = cpu.load<std::uint16_t>(used(virtio::avail_event_offset(size_)));
        wanted = virtio::need_event(event, avail_idx_, static_cast<std::uint16_t>(avail_idx_ - added));
    }
    (wanted ? kicks_ : kicks_suppressed_).add();
    return wanted;
}

bool split_virtqueue::more_used(native_cpu& cpu) {
    return !broken_ && cpu.load<std::uint16_t>(used(virtio::used_idx_offset)) != last_used_;
}

std::optional<split_virtqueue::used_buffer> split_virtqueue::get_used(native_cpu& cpu) {
    if (broken_ || !ready()) {
        return std::nullopt;
    }
    const auto idx = cpu.load<std::uint16_t>(used(virtio::used_idx_offset));
    used_idx_signal_.set(idx, cpu.now());
    const auto pending = static_cast<std::uint16_t>(idx - last_used_);
    if (pending == 0) {
        return std::nullopt;
    }
    if (pending > outstanding_) {
        return refuse(
            cpu, virtio::used_idx_offset,
            fmt::format("used index {} is {} ahead with {} buffers outstanding", idx, pending, outstanding_));
    }
    const driver_call call(cpu, get_used_call_);
    const sc_core::sc_time found = cpu.now();
    cpu.barrier();  // 2.7.14: the index before the entry
    const std::uint64_t entry = virtio::used_ring_offset(last_used_ & (size_ - 1U));
    virtio::vring_used_elem element;
    cpu.read(used(entry), std::as_writable_bytes(std::span(&element, 1)));

    const std::uint32_t id = element.id;
    const std::uint32_t written = element.len;
    if (id >= size_ || !chains_[id].outstanding) {
        return refuse(cpu, entry, fmt::format("used id {} heads no outstanding buffer", id));
    }
    chain& buffer = chains_[id];
    if (written > buffer.writable) {
        return refuse(cpu, entry,
                      fmt::format("used length {} of id {}, whose buffer has {} writable bytes", written, id,
                                  buffer.writable));
    }
    used_buffer result{.token = buffer.token, .written = written};
    const sc_core::sc_time copied = cpu.used().copies;
    release(cpu, static_cast<std::uint16_t>(id));
    result.journey = journeys_.collected(static_cast<std::uint16_t>(id), found, cpu.used().copies - copied);
    ++last_used_;
    if (event_idx_ && interrupts_enabled_) {
        cpu.store<std::uint16_t>(avail(virtio::used_event_offset(size_)), last_used_);
        cpu.barrier();  // 2.7.7: the wish before the index is looked at again
    }
    return result;
}

void split_virtqueue::release(native_cpu& cpu, std::uint16_t head) {
    const native_cpu::request_scope on(cpu, journeys_.number_of(head));
    chain& buffer = chains_[head];
    buffer.outstanding = false;
    --outstanding_;
    unmap(cpu, buffer);
    if (buffer.table_bytes != 0) {
        operations_->unmap_page(cpu, *device_, buffer.table_dma, buffer.table_bytes,
                                dma_data_direction::to_device, 0);
        tables_->free(buffer.table, buffer.table_bytes);
        buffer.table_bytes = 0;
    }
    std::uint16_t last = head;
    for (std::uint16_t i = 1; i < buffer.descriptors; ++i) {
        last = next_[last];
    }
    next_[last] = free_head_;
    free_head_ = head;
    num_free_ += buffer.descriptors;
    in_flight_signal_.set(outstanding_, cpu.now());
}

void split_virtqueue::disable_interrupts(native_cpu& cpu) {
    if (!interrupts_enabled_ || broken_) {
        return;
    }
    interrupts_enabled_ = false;
    if (event_idx_) {
        // An event that lies just behind: passed again after 65535 more buffers.
        cpu.store<std::uint16_t>(avail(virtio::used_event_offset(size_)),
                                 static_cast<std::uint16_t>(last_used_ - 1));
    } else {
        cpu.store<std::uint16_t>(avail(virtio::avail_flags_offset), virtio::avail_f_no_interrupt);
    }
}

bool split_virtqueue::enable_interrupts(native_cpu& cpu) {
    if (broken_) {
        return true;
    }
    interrupts_enabled_ = true;
    if (event_idx_) {
        cpu.store<std::uint16_t>(avail(virtio::used_event_offset(size_)), last_used_);
    } else {
        cpu.store<std::uint16_t>(avail(virtio::avail_flags_offset), std::uint16_t{0});
    }
    cpu.barrier();  // 2.7.7: the wish before the index is looked at again
    return !more_used(cpu);
}

std::optional<split_virtqueue::used_buffer> split_virtqueue::refuse(native_cpu& cpu, std::uint64_t offset,
                                                                    std::string detail) {
    broken_ = true;
    recorder_.violations().report({.when = cpu.now(),
                                   .kind = report::violation_kind::driver_protocol,
                                   .who = device_name_,
                                   .address = used(offset).value(),
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = fmt::format("{}: {}; the queue is broken", name_, detail)});
    return std::nullopt;
}

}  // namespace pefsim::guest
