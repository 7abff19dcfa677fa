// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "abi/address.h"

namespace pefsim::exposure {

/// What a driver tells a device with an address.
struct naming {
    std::uint16_t device = 0;   ///< initiator
    std::uint16_t queue = 0;    ///< its number
    std::uint64_t request = 0;  ///< the device's number of it; 0: none, a virtqueue or a table of descriptors
    bool writable = false;      ///< the device is to write there
};

/// A DMA mapping as a device learns of it: a buffer, or a table of descriptors. It lives until the device has returned
/// the request; the guest's own kernel may have made it earlier and keep it longer.
struct device_mapping {
    naming how;
    abi::phys_addr at;
    std::uint32_t size = 0;
    bool table = false;
};

/// All of one queue's.
struct queue_mappings {
    std::uint64_t buffers = 0;
    std::uint64_t readable_bytes = 0;  ///< that the device was to read
    std::uint64_t writable_bytes = 0;  ///< and to write
    std::uint64_t tables = 0;
    std::uint64_t table_bytes = 0;
    std::uint64_t guest_bytes = 0;  ///< stood there, written by the guest, when the device learned of them
    std::uint64_t alive_bytes = 0;
    std::uint64_t most_alive_bytes = 0;
    struct ring {
        abi::phys_addr at;
        std::uint64_t size = 0;
    };
    std::vector<ring> rings;  ///< descriptor area, driver area, device area of each time that it was set up
};

/// The mappings of a guest whose kernel does not tell: learned from what drivers name to devices.
///
/// A virtqueue and a table of descriptors are both named without a request. A table is read with the request that it
/// belongs to, which is numbered afterwards.
class device_mappings {
public:
    using queue_key = std::pair<std::uint16_t, std::uint16_t>;  ///< device and queue

    /// \param number of the mapping that begins; the next one's of an empty answer is taken again
    /// \param in_pool the address is in a pool of bounce buffers: there are no virtqueues in it
    /// \returns true when it is a mapping: not a virtqueue, nor one that is alive already
    bool add(const naming& how, abi::phys_addr at, std::uint64_t size, bool in_pool, std::uint32_t number);
    /// So many bytes of the guest's stand in it.
    void holds(std::uint32_t number, std::uint64_t guest_bytes);
    /// The device has returned the request. \returns the numbers of the mappings that end
    std::vector<std::uint32_t> end(std::uint16_t device, std::uint64_t request);

    /// So many have ended that it is time to forget() those that nobody can ask for any more.
    [[nodiscard]] bool full() const { return ended_.size() > forget_at_; }
    /// Mappings that have ended and are not among `needed` are forgotten, but for what by_queue() says of them.
    void forget(const std::unordered_set<std::uint32_t>& needed);

    [[nodiscard]] std::size_t kept() const { return all_.size(); }

    /// nullptr: learned from no device, or forgotten.
    [[nodiscard]] const device_mapping* find(std::uint32_t number) const;
    [[nodiscard]] const std::map<queue_key, queue_mappings>& by_queue() const { return queues_; }

private:
    [[nodiscard]] static std::uint64_t key(std::uint16_t device, std::uint64_t request) {
        return std::uint64_t{device} << 48 | request;
    }
    void count(const device_mapping& what);

    static constexpr std::size_t forget_after = 4096;
    std::vector<device_mapping> all_;
    std::vector<std::uint32_t> numbers_;  // of them, ascending
    std::vector<std::uint32_t> ended_;    // of those that are kept
    std::size_t forget_at_ = forget_after;
    std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> alive_;  // by device and request
    std::map<std::uint16_t, std::vector<std::uint32_t>> tables_;  // by device: whose request is not known yet
    std::map<queue_key, queue_mappings> queues_;
};

}  // namespace pefsim::exposure
