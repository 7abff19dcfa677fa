// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "dma_ops/dma_ops_if.h"

namespace pefsim::testing {

/// DMA operations that keep books: bus address = guest physical address + `offset`, every mapping is accounted for, and
/// they run out when the test says so.
struct recording_dma_ops : dma_ops::dma_ops_if {
    using direction = dma_ops::dma_data_direction;
    struct mapping {
        std::size_t size;
        direction way;
    };

    explicit recording_dma_ops(std::string name = "recording") : name_(std::move(name)) {}

    std::uint64_t offset = 0;
    /// Mappings that still succeed; then they fail until it is raised.
    std::size_t budget = std::numeric_limits<std::size_t>::max();
    /// Most live mappings at once.
    std::size_t most_live = std::numeric_limits<std::size_t>::max();
    std::size_t max_size = std::numeric_limits<std::size_t>::max();
    sc_core::sc_time map_time;                    ///< what a mapping takes
    dma_ops::page_allocator_if* pages = nullptr;  ///< none: no coherent memory

    std::map<std::uint64_t, std::vector<mapping>> live;
    std::size_t live_count = 0;
    std::size_t maps = 0;
    std::size_t failures = 0;
    std::size_t wrong_unmaps = 0;
    std::size_t coherent = 0;
    std::size_t setups = 0;

    [[nodiscard]] std::string_view operations() const override { return name_; }
    void setup(dma_ops::native_cpu&) override { ++setups; }

    std::optional<dma_ops::coherent_buffer> alloc(dma_ops::native_cpu&, dma_ops::dma_device&,
                                                  std::size_t size) override {
        const auto at = pages == nullptr ? std::nullopt : pages->alloc_pages(size, abi::page_size);
        if (!at) {
            return std::nullopt;
        }
        ++coherent;
        return dma_ops::coherent_buffer{*at, abi::dma_addr{at->value() + offset}};
    }
    void free(dma_ops::native_cpu&, dma_ops::dma_device&, std::size_t size,
              const dma_ops::coherent_buffer& what) override {
        --coherent;
        pages->free_pages(what.cpu_address, size);
    }
    abi::dma_addr map_page(dma_ops::native_cpu& cpu, dma_ops::dma_device&, abi::phys_addr page,
                           std::size_t at, std::size_t size, direction way, unsigned) override {
        cpu.spend(map_time);
        if (budget == 0 || live_count >= most_live || size > max_size) {
            ++failures;
            return dma_ops::dma_mapping_error;
        }
        --budget;
        ++maps;
        ++live_count;
        const abi::dma_addr address{page.value() + at + offset};
        live[address.value()].push_back({size, way});
        return address;
    }
    void unmap_page(dma_ops::native_cpu&, dma_ops::dma_device&, abi::dma_addr address, std::size_t size,
                    direction way, unsigned) override {
        auto& there = live[address.value()];
        const auto found = std::find_if(there.begin(), there.end(),
                                        [&](const mapping& m) { return m.size == size && m.way == way; });
        if (found == there.end()) {
            ++wrong_unmaps;
            return;
        }
        there.erase(found);
        --live_count;
    }
    std::size_t map_sg(dma_ops::native_cpu&, dma_ops::dma_device&, std::span<dma_ops::scatterlist>, direction,
                       unsigned) override {
        ADD_FAILURE() << "map_sg is not expected";
        return 0;
    }
    void unmap_sg(dma_ops::native_cpu&, dma_ops::dma_device&, std::span<dma_ops::scatterlist>, direction,
                  unsigned) override {
        ADD_FAILURE() << "unmap_sg is not expected";
    }
    void sync_single_for_cpu(dma_ops::native_cpu&, dma_ops::dma_device&, abi::dma_addr, std::size_t,
                             direction) override {}
    void sync_single_for_device(dma_ops::native_cpu&, dma_ops::dma_device&, abi::dma_addr, std::size_t,
                                direction) override {}
    [[nodiscard]] std::size_t max_mapping_size(const dma_ops::dma_device&) const override { return max_size; }

private:
    std::string name_;
};

}  // namespace pefsim::testing
