// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "abi/virtio_packed_ring.h"
#include "tests/virtio/mock_driver.h"
#include "virtio/virtqueue.h"

namespace pefsim::virtio::testing {

/// Driver side of a packed virtqueue for tests, from the text of VIRTIO 1.2, 2.8 alone: it keeps its own wrap counters,
/// ids and free descriptors, and knows nothing of how the device does the same.
class mock_packed_driver {
public:
    struct options {
        std::uint16_t size = 8;
        bool indirect = false;  ///< chains of more than one descriptor go into an indirect table
        bool event_idx = false;
        abi::dma_addr at{test_memory::base};  ///< where the rings go; buffers are the test's
    };
    struct used {
        std::uint16_t id;
        std::uint32_t len;
        bool written;  ///< the WRITE flag
    };

    mock_packed_driver(memory_view memory, const options& how)
        : memory_(memory),
          options_(how),
          driver_event_(how.at + sizeof(abi::virtio::packed_desc) * how.size),
          device_event_(driver_event_ + sizeof(abi::virtio::event_suppress)),
          tables_((device_event_.value() + 63) & ~std::uint64_t{63}),
          free_(how.size),
          chains_(how.size) {
        // Ids need not be places in the ring: hand them out from the other end.
        for (std::uint16_t id = 0; id < how.size; ++id) {
            ids_.push_back(id);
        }
    }

    [[nodiscard]] virtqueue::layout layout() const {
        return {.size = options_.size,
                .desc = options_.at,
                .driver = driver_event_,
                .device = device_event_,
                .indirect = options_.indirect,
                .event_idx = options_.event_idx,
                .packed = true};
    }
    /// First address behind rings and tables.
    [[nodiscard]] abi::dma_addr end() const {
        return tables_ + sizeof(abi::virtio::packed_desc) * options_.size * options_.size;
    }

    // --- the ring itself
    [[nodiscard]] abi::dma_addr place(std::uint32_t index) const {
        return options_.at + sizeof(abi::virtio::packed_desc) * index;
    }
    void set_descriptor(std::uint32_t index, std::uint64_t addr, std::uint32_t len, std::uint16_t id,
                        unsigned flags) {
        abi::virtio::packed_desc desc{};
        desc.addr = addr;
        desc.len = len;
        desc.id = id;
        desc.flags = static_cast<std::uint16_t>(flags);
        memory_.store(place(index), desc);
    }
    [[nodiscard]] abi::virtio::packed_desc descriptor(std::uint32_t index) const {
        return memory_.load<abi::virtio::packed_desc>(place(index));
    }
    /// Flags of a descriptor that is available in this round.
    static unsigned available_flags(bool wrap) {
        return wrap ? abi::virtio::packed_f_avail : abi::virtio::packed_f_used;
    }
    void set_interrupts(std::uint16_t flags, std::uint16_t desc = 0) {
        abi::virtio::event_suppress wish{};
        wish.desc = desc;
        wish.flags = flags;
        memory_.store(driver_event_, wish);
    }
    /// What the device wants to be told of.
    [[nodiscard]] abi::virtio::event_suppress notifications() const {
        return memory_.load<abi::virtio::event_suppress>(device_event_);
    }
    /// Where the next chain will be made available, as an event names places.
    [[nodiscard]] std::uint16_t next_place() const {
        return static_cast<std::uint16_t>(next_ | (wrap_ ? 0x8000U : 0U));
    }
    [[nodiscard]] std::uint16_t next_used_place() const {
        return static_cast<std::uint16_t>(used_ | (used_wrap_ ? 0x8000U : 0U));
    }
    /// 2.8.20 with the arithmetic of places on a line: does what was made available since the last question have to be
    /// told?
    [[nodiscard]] bool must_notify() {
        const auto wish = notifications();
        const std::uint16_t added = std::exchange(added_, std::uint16_t{0});
        if (wish.flags != abi::virtio::event_desc) {
            return wish.flags == abi::virtio::event_enable;
        }
        for (std::uint16_t i = 0; i < added; ++i) {
            if (wish.desc == place_before(i + 1U)) {
                return true;
            }
        }
        return false;
    }

    // --- a driver as it should be
    /// Makes a chain available. \returns its id, nothing when descriptors run out
    std::optional<std::uint16_t> add(std::span<const segment> readable, std::span<const segment> writable) {
        const std::size_t count = readable.size() + writable.size();
        const bool table = options_.indirect && count > 1;
        const auto needed = static_cast<std::uint16_t>(table ? 1 : count);
        if (needed == 0 || free_ < needed || count > options_.size) {
            return {};
        }
        const std::uint16_t id = ids_.back();
        ids_.pop_back();
        const auto buffer = [&](std::size_t i) {
            return i < readable.size() ? readable[i] : writable[i - readable.size()];
        };
        const auto write_flag = [&](std::size_t i) { return i < readable.size() ? 0U : 2U; };
        struct entry {
            std::uint64_t addr;
            std::uint32_t len;
            unsigned flags;
        };
        std::vector<entry> entries;
        if (table) {
            const abi::dma_addr at = tables_ + sizeof(abi::virtio::packed_desc) * options_.size * id;
            for (std::size_t i = 0; i < count; ++i) {
                abi::virtio::packed_desc desc{};
                desc.addr = buffer(i).at.value();
                desc.len = buffer(i).length;
                desc.id = 0xdead;  // reserved there
                desc.flags = static_cast<std::uint16_t>(write_flag(i));
                memory_.store(at + sizeof desc * i, desc);
            }
            entries.push_back({at.value(), static_cast<std::uint32_t>(16 * count), 4U});
        } else {
            for (std::size_t i = 0; i < count; ++i) {
                entries.push_back(
                    {buffer(i).at.value(), buffer(i).length, write_flag(i) | (i + 1 < count ? 1U : 0U)});
            }
        }
        const std::uint16_t head = next_;
        const bool head_wrap = wrap_;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            // Only the last descriptor's id counts (2.8.6); the head's flags are written last.
            const auto own = static_cast<std::uint16_t>(i + 1 == entries.size() ? id : 0xbeef);
            const unsigned available = i == 0 ? available_flags(!wrap_) : available_flags(wrap_);
            set_descriptor(next_, entries[i].addr, entries[i].len, own, entries[i].flags | available);
            if (++next_ == options_.size) {
                next_ = 0;
                wrap_ = !wrap_;
            }
        }
        set_descriptor(head, entries[0].addr, entries[0].len, descriptor(head).id,
                       entries[0].flags | available_flags(head_wrap));
        free_ = static_cast<std::uint16_t>(free_ - needed);
        chains_[id] = needed;
        added_ = static_cast<std::uint16_t>(added_ + needed);
        return id;
    }
    /// A used chain that was not collected yet; its descriptors are free again.
    std::optional<used> collect() {
        const auto desc = descriptor(used_);
        const bool avail_flag = (desc.flags & abi::virtio::packed_f_avail) != 0;
        const bool used_flag = (desc.flags & abi::virtio::packed_f_used) != 0;
        if (avail_flag != used_wrap_ || used_flag != used_wrap_) {
            return {};
        }
        const std::uint16_t id = desc.id;
        const std::uint16_t count = chains_.at(id);
        chains_[id] = 0;
        ids_.push_back(id);
        free_ = static_cast<std::uint16_t>(free_ + count);
        used_ = static_cast<std::uint16_t>(used_ + count);
        if (used_ >= options_.size) {
            used_ = static_cast<std::uint16_t>(used_ - options_.size);
            used_wrap_ = !used_wrap_;
        }
        return used{id, desc.len, (desc.flags & abi::virtio::desc_f_write) != 0};
    }
    [[nodiscard]] std::uint16_t free_descriptors() const { return free_; }

private:
    /// The place `back` descriptors before the next one.
    [[nodiscard]] std::uint16_t place_before(unsigned back) const {
        const bool wrapped = back > next_;
        const unsigned index = wrapped ? next_ + options_.size - back : next_ - back;
        return static_cast<std::uint16_t>(index | (wrap_ != wrapped ? 0x8000U : 0U));
    }

    memory_view memory_;
    options options_;
    abi::dma_addr driver_event_;
    abi::dma_addr device_event_;
    abi::dma_addr tables_;
    std::uint16_t next_ = 0;
    bool wrap_ = true;
    std::uint16_t used_ = 0;
    bool used_wrap_ = true;
    std::uint16_t free_;
    std::uint16_t added_ = 0;
    std::vector<std::uint16_t> ids_;
    std::vector<std::uint16_t> chains_;  // descriptors of each, by id
};

}  // namespace pefsim::virtio::testing
