// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/address.h"
#include "dma_ops/dma_ops_if.h"

namespace pefsim::dma_ops {

/// A mapping that is alive.
struct mapping {
    dma_addr address;          ///< what the device uses
    phys_addr original;        ///< the buffer that was mapped
    std::size_t size = 0;      ///< bytes
    std::uint32_t number = 0;  ///< exposure_ledger::new_mapping(); 0: no mapping
    dma_data_direction direction{};
    std::uint64_t min_align_mask = 0;  ///< the device's, when it was mapped
    const dma_device* device = nullptr;
};

/// The mappings of a module that are alive, by bus address: what Linux's DMA-API debugging keeps (kernel/dma/debug.c).
///
/// The same address may be mapped more than once. A hash table with linear probing: no heap allocation but when it
/// grows.
class mapping_table {
public:
    mapping_table();

    void insert(const mapping& what) {
        if (2 * (size_ + 1) > places_.size()) [[unlikely]] {
            grow();
        }
        std::size_t place = home_of(what.address);
        while (places_[place].number != 0) {
            place = next(place);
        }
        // Field by field: a wide load of what the caller has just stored in parts would wait for every store before it,
        // and those of a bounce are a page.
        mapping& here = places_[place];
        here.address = what.address;
        here.original = what.original;
        here.size = what.size;
        here.number = what.number;
        here.direction = what.direction;
        here.min_align_mask = what.min_align_mask;
        here.device = what.device;
        ++size_;
    }
    /// The device's mapping at exactly this address: the one with this size and direction when there is one, else any
    /// other; nullptr when there is none. Valid until the next insert() or erase().
    [[nodiscard]] const mapping* find(const dma_device& device, dma_addr address, std::size_t size,
                                      dma_data_direction direction) const;
    /// A mapping of the device that contains the whole range, or else its first byte; nullptr when there is none.
    [[nodiscard]] const mapping* containing(const dma_device& device, dma_addr address,
                                            std::size_t size) const;
    /// \param what from find() or containing()
    void erase(const mapping* what);
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    [[nodiscard]] std::size_t home_of(dma_addr address) const {
        constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;
        return (address.value() * golden_ratio) >> (64 - std::countr_zero(places_.size()));
    }
    [[nodiscard]] std::size_t next(std::size_t place) const { return (place + 1) & (places_.size() - 1); }
    void grow();

    std::vector<mapping> places_;  // a power of two
    std::size_t size_ = 0;
};

}  // namespace pefsim::dma_ops
