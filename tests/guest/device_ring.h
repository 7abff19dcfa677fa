// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "abi/virtio_ring.h"
#include "tests/guest/device_memory.h"

namespace pefsim::testing {

/// The device's side of a split virtqueue, written from the specification alone (2.7): takes what is available, and
/// returns used entries right or wrong, as the test says.
struct device_ring {
    struct element {
        std::uint64_t address;
        std::uint32_t length;
        bool writable;
        friend bool operator==(const element&, const element&) = default;
    };
    struct chain {
        std::uint16_t head = 0;
        bool indirect = false;
        std::vector<element> elements;
    };

    device_memory* memory = nullptr;
    std::uint64_t descriptors = 0;
    std::uint64_t available = 0;
    std::uint64_t used = 0;
    std::uint16_t size = 0;
    std::uint16_t seen = 0;
    std::uint16_t used_idx = 0;

    [[nodiscard]] std::uint16_t avail_idx() const { return memory->load<std::uint16_t>(available + 2); }
    [[nodiscard]] std::uint16_t avail_flags() const { return memory->load<std::uint16_t>(available); }
    [[nodiscard]] std::uint16_t used_event() const {
        return memory->load<std::uint16_t>(available + 4 + 2U * size);
    }
    void set_avail_event(std::uint16_t value) const {
        memory->store<std::uint16_t>(used + 4 + 8U * size, value);
    }
    void set_flags(std::uint16_t value) const { memory->store<std::uint16_t>(used, value); }

    std::optional<chain> take() {
        if (avail_idx() == seen) {
            return std::nullopt;
        }
        chain taken;
        taken.head = memory->load<std::uint16_t>(available + 4 + 2U * (seen % size));
        ++seen;
        follow(taken, descriptors, taken.head, size);
        return taken;
    }
    void put_entry(std::uint32_t id, std::uint32_t length) {
        const std::uint64_t at = used + 4 + 8U * (used_idx % size);
        memory->store<std::uint32_t>(at, id);
        memory->store<std::uint32_t>(at + 4, length);
        ++used_idx;
    }
    void publish() const { memory->store<std::uint16_t>(used + 2, used_idx); }
    void put_used(std::uint32_t id, std::uint32_t length) {
        put_entry(id, length);
        publish();
    }
    /// Would a device interrupt that has just gone from `before` to used_idx?
    [[nodiscard]] bool wants_interrupt(bool event_idx, std::uint16_t before) const {
        if (!event_idx) {
            return (avail_flags() & 1) == 0;
        }
        const std::uint16_t event = used_event();
        for (std::uint16_t idx = before; idx != used_idx; ++idx) {  // the definition, entry by entry
            if (idx == event) {
                return true;
            }
        }
        return false;
    }

private:
    void follow(chain& into, std::uint64_t table, std::uint16_t index, std::size_t left) {
        while (left-- != 0) {
            const auto d = memory->load<abi::virtio::vring_desc>(table + 16U * index);
            if ((d.flags & 4) != 0) {
                into.indirect = true;
                follow(into, d.addr, 0, d.len / 16);
                return;
            }
            into.elements.push_back({d.addr, d.len, (d.flags & 2) != 0});
            if ((d.flags & 1) == 0) {
                return;
            }
            index = d.next;
        }
    }
};

}  // namespace pefsim::testing
