// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/mapping_table.h"

namespace pefsim::dma_ops {

namespace {

constexpr std::size_t initial_places = 1024;

/// Does a range that begins in the mapping end in it, too?
bool ends_in(const mapping& what, dma_addr address, std::size_t size) {
    return size <= what.size - (address - what.address);
}

}  // namespace

mapping_table::mapping_table() : places_(initial_places) {}

void mapping_table::grow() {
    std::vector<mapping> before(2 * places_.size());
    before.swap(places_);
    size_ = 0;
    for (const mapping& each : before) {
        if (each.number != 0) {
            insert(each);
        }
    }
}

const mapping* mapping_table::find(const dma_device& device, dma_addr address, std::size_t size,
                                   dma_data_direction direction) const {
    const mapping* similar = nullptr;
    for (std::size_t place = home_of(address); places_[place].number != 0; place = next(place)) {
        const mapping& each = places_[place];
        if (each.address == address && each.device == &device) {
            if (each.size == size && each.direction == direction) {
                return &each;
            }
            similar = &each;
        }
    }
    return similar;
}

const mapping* mapping_table::containing(const dma_device& device, dma_addr address, std::size_t size) const {
    const mapping* touching = nullptr;
    for (std::size_t place = home_of(address); places_[place].number != 0; place = next(place)) {
        const mapping& each = places_[place];
        if (each.address == address && each.device == &device && ends_in(each, address, size)) {
            return &each;  // the usual case: a mapping is synchronised from its start
        }
    }
    for (const mapping& each : places_) {
        if (each.number != 0 && each.device == &device && each.address <= address &&
            address - each.address < each.size) {
            if (ends_in(each, address, size)) {
                return &each;
            }
            touching = &each;
        }
    }
    return touching;
}

void mapping_table::erase(const mapping* what) {
    auto hole = static_cast<std::size_t>(what - places_.data());
    // Moves back what was pushed over the place that becomes free, so that no search ends before it.
    for (std::size_t place = next(hole); places_[place].number != 0; place = next(place)) {
        const std::size_t distance = (place - home_of(places_[place].address)) & (places_.size() - 1);
        const std::size_t gap = (place - hole) & (places_.size() - 1);
        if (distance >= gap) {
            places_[hole] = places_[place];
            hole = place;
        }
    }
    places_[hole] = {};
    --size_;
}

}  // namespace pefsim::dma_ops
