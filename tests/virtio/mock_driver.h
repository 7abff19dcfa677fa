// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "abi/virtio_ring.h"
#include "virtio/queue_memory.h"
#include "virtio/split_queue.h"

namespace pefsim::virtio::testing {

/// Guest memory as the driver of a test sees it: bytes from bus address `base` on. The driver stays inside.
struct memory_view {
    std::span<std::byte> bytes;
    std::uint64_t base;

    [[nodiscard]] std::span<std::byte> span(abi::dma_addr address, std::size_t size) const {
        return bytes.subspan(address.value() - base, size);
    }
    template <class T>
    [[nodiscard]] T load(abi::dma_addr address) const {
        T value;
        std::memcpy(&value, span(address, sizeof value).data(), sizeof value);
        return value;
    }
    template <class T>
    void store(abi::dma_addr address, const T& value) const {
        std::memcpy(span(address, sizeof value).data(), &value, sizeof value);
    }
};

/// Guest memory of a test: `size` bytes from address `base` on. Counts accesses, can refuse a range, and remembers
/// whether anything outside was asked for. Each access costs 100 ns.
class test_memory final : public queue_memory {
public:
    static constexpr std::uint64_t base = 0x10'0000;

    explicit test_memory(std::size_t size = 0x2'0000) : bytes_(size) {}

    bool read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
              sc_core::sc_time& delay) override {
        ++reads;
        for_requests += request != 0 ? 1 : 0;
        delay += cost;
        if (!allowed(from, to.size())) {
            return false;
        }
        std::ranges::copy(span(from, to.size()), to.begin());
        return true;
    }
    bool write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
               sc_core::sc_time& delay) override {
        ++writes;
        for_requests += request != 0 ? 1 : 0;
        delay += cost;
        if (!allowed(to, from.size())) {
            return false;
        }
        std::ranges::copy(from, span(to, from.size()).begin());
        return true;
    }

    [[nodiscard]] memory_view view() { return {bytes_, base}; }
    std::span<std::byte> span(abi::dma_addr address, std::size_t size) { return view().span(address, size); }
    template <class T>
    T load(abi::dma_addr address) {
        return view().load<T>(address);
    }
    template <class T>
    void store(abi::dma_addr address, const T& value) {
        view().store(address, value);
    }
    [[nodiscard]] std::span<std::byte> all() { return bytes_; }

    void refuse(abi::dma_addr from, std::size_t size) {
        refused_from_ = from.value();
        refused_size_ = size;
    }

    unsigned reads = 0;
    unsigned writes = 0;
    unsigned for_requests = 0;  ///< of them, those that belong to a request
    unsigned refusals = 0;
    sc_core::sc_time cost{100, sc_core::SC_NS};

private:
    bool allowed(abi::dma_addr address, std::size_t size) {
        const std::uint64_t a = address.value();
        const bool inside = a >= base && a - base < bytes_.size() && size <= bytes_.size() - (a - base);
        const bool refused = a < refused_from_ + refused_size_ && refused_from_ < a + size;
        refusals += (!inside || refused) ? 1 : 0;
        return inside && !refused;
    }

    std::vector<std::byte> bytes_;
    std::uint64_t refused_from_ = 0;
    std::uint64_t refused_size_ = 0;
};

/// Driver side of a split virtqueue for tests: lays the rings out in memory, offers chains, collects used ones.
/// It does as the specification asks, and hands out the rings for those who want to do otherwise.
class mock_driver {
public:
    struct options {
        std::uint16_t size = 8;
        bool indirect = false;  ///< chains of more than one descriptor go into an indirect table
        bool event_idx = false;
        abi::dma_addr at{test_memory::base};  ///< where the rings go; buffers are the test's
    };

    mock_driver(memory_view memory, const options& how) : memory_(memory), options_(how) {
        using abi::virtio::avail_area_size;
        using abi::virtio::desc_alignment;
        using abi::virtio::desc_area_size;
        using abi::virtio::used_alignment;
        using abi::virtio::used_area_size;
        const std::uint32_t n = how.size;
        desc_ = how.at;
        avail_ = desc_ + desc_area_size(n);
        used_ = align(avail_ + avail_area_size(n), used_alignment);
        tables_ = align(used_ + used_area_size(n), desc_alignment);
        end_ = tables_ + (how.indirect ? desc_area_size(n) * n : 0);
        for (std::uint32_t i = n; i-- > 0;) {
            free_.push_back(static_cast<std::uint16_t>(i));
        }
        chains_.resize(n);
    }

    [[nodiscard]] split_queue::layout layout() const {
        return {.size = options_.size,
                .desc = desc_,
                .driver = avail_,
                .device = used_,
                .indirect = options_.indirect,
                .event_idx = options_.event_idx};
    }
    /// First address behind the rings.
    [[nodiscard]] abi::dma_addr end() const { return align(end_, 64); }

    // --- the rings themselves
    void set_descriptor(std::uint32_t index, const abi::virtio::vring_desc& desc) {
        memory_.store(desc_ + abi::virtio::desc_offset(index), desc);
    }
    void set_avail_entry(std::uint32_t slot, std::uint16_t head) {
        memory_.store(avail_ + abi::virtio::avail_ring_offset(slot), abi::virtio::le16(head));
    }
    void set_avail_index(std::uint16_t idx) {
        memory_.store(avail_ + abi::virtio::avail_idx_offset, abi::virtio::le16(idx));
    }
    void set_avail_flags(std::uint16_t flags) {
        memory_.store(avail_ + abi::virtio::avail_flags_offset, abi::virtio::le16(flags));
    }
    void set_used_event(std::uint16_t idx) {
        memory_.store(avail_ + abi::virtio::used_event_offset(options_.size), abi::virtio::le16(idx));
    }
    [[nodiscard]] std::uint16_t avail_index() const { return avail_idx_; }
    [[nodiscard]] std::uint16_t avail_event() const {
        return memory_.load<abi::virtio::le16>(used_ + abi::virtio::avail_event_offset(options_.size));
    }
    [[nodiscard]] std::uint16_t used_flags() const {
        return memory_.load<abi::virtio::le16>(used_ + abi::virtio::used_flags_offset);
    }
    [[nodiscard]] std::uint16_t used_index() const {
        return memory_.load<abi::virtio::le16>(used_ + abi::virtio::used_idx_offset);
    }
    [[nodiscard]] abi::dma_addr table_of(std::uint16_t head) const {
        return tables_ + abi::virtio::desc_area_size(options_.size) * head;
    }

    // --- a driver as it should be
    /// Makes a chain available. \returns its head, nothing when descriptors run out
    std::optional<std::uint16_t> add(std::span<const segment> readable, std::span<const segment> writable) {
        const std::size_t count = readable.size() + writable.size();
        const bool indirect = options_.indirect && count > 1;
        const std::size_t needed = indirect ? 1 : count;
        if (needed == 0 || free_.size() < needed || count > options_.size) {
            return {};
        }
        const auto flags = [&](std::size_t i) {
            const unsigned next = i + 1 < count ? abi::virtio::desc_f_next : 0U;
            return static_cast<std::uint16_t>(next | (i < readable.size() ? 0U : abi::virtio::desc_f_write));
        };
        const auto buffer = [&](std::size_t i) {
            return i < readable.size() ? readable[i] : writable[i - readable.size()];
        };
        std::vector<std::uint16_t>& taken = chains_[free_.back()];
        taken.clear();
        for (std::size_t i = 0; i < needed; ++i) {
            taken.push_back(free_.back());
            free_.pop_back();
        }
        const std::uint16_t head = taken.front();
        for (std::size_t i = 0; i < count; ++i) {
            abi::virtio::vring_desc desc{};
            desc.addr = buffer(i).at.value();
            desc.len = buffer(i).length;
            desc.flags = flags(i);
            if (indirect) {
                desc.next = static_cast<std::uint16_t>(i + 1 < count ? i + 1 : 0);
                memory_.store(table_of(head) + abi::virtio::desc_offset(static_cast<std::uint32_t>(i)), desc);
            } else {
                desc.next = i + 1 < count ? taken[i + 1] : std::uint16_t{0};
                set_descriptor(taken[i], desc);
            }
        }
        if (indirect) {
            abi::virtio::vring_desc desc{};
            desc.addr = table_of(head).value();
            desc.len = static_cast<std::uint32_t>(
                abi::virtio::desc_area_size(static_cast<std::uint32_t>(count)));
            desc.flags = abi::virtio::desc_f_indirect;
            set_descriptor(head, desc);
        }
        offer(head);
        return head;
    }
    /// Puts `head` into the available ring and moves the index.
    void offer(std::uint16_t head) {
        set_avail_entry(avail_idx_ & (options_.size - 1U), head);
        set_avail_index(++avail_idx_);
    }
    /// A used chain that was not collected yet; its descriptors are free again.
    std::optional<abi::virtio::vring_used_elem> collect() {
        if (used_index() == last_used_) {
            return {};
        }
        const std::uint32_t slot = last_used_ & (options_.size - 1U);
        const auto element = memory_.load<abi::virtio::vring_used_elem>(used_ +
                                                                        abi::virtio::used_ring_offset(slot));
        ++last_used_;
        if (element.id < options_.size) {
            std::vector<std::uint16_t>& taken = chains_[element.id];
            while (!taken.empty()) {
                free_.push_back(taken.back());
                taken.pop_back();
            }
        }
        return element;
    }
    [[nodiscard]] std::size_t free_descriptors() const { return free_.size(); }

private:
    static abi::dma_addr align(abi::dma_addr at, std::uint64_t to) {
        return abi::dma_addr{(at.value() + to - 1) & ~(to - 1)};
    }

    memory_view memory_;
    options options_;
    abi::dma_addr desc_;
    abi::dma_addr avail_;
    abi::dma_addr used_;
    abi::dma_addr tables_;
    abi::dma_addr end_;
    std::uint16_t avail_idx_ = 0;
    std::uint16_t last_used_ = 0;
    std::vector<std::uint16_t> free_;
    std::vector<std::vector<std::uint16_t>> chains_;
};

}  // namespace pefsim::virtio::testing
