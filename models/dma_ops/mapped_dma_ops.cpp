// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/mapped_dma_ops.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "abi/platform.h"
#include "exposure/ledger.h"
#include "report/violations.h"

namespace pefsim::dma_ops {

using sc_core::sc_time;

namespace {

std::size_t whole_pages(std::size_t size) { return (size + abi::page_size - 1) & ~(abi::page_size - 1); }

/// The mapping's number goes with everything that is written; the driver call stays, or is the DMA operation's own when
/// no driver call is known.
native_cpu::call_scope attributed(native_cpu& cpu, std::uint64_t own_origin, std::uint32_t number) {
    const std::uint64_t caller = cpu.writer().origin;
    return {cpu, caller != 0 ? caller : own_origin, number};
}

}  // namespace

mapped_dma_ops::mapped_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder,
                               const timing::timing& costs, std::string_view operations)
    : sc_module(name),
      pages("pages"),
      log("log"),
      recorder_(recorder),
      call_costs_(call_costs(costs)),
      map_origin_(recorder.ledger().name_origin(fmt::format("{}.map_page", operations))),
      unmap_origin_(recorder.ledger().name_origin(fmt::format("{}.unmap_page", operations))),
      sync_origin_(recorder.ledger().name_origin(fmt::format("{}.sync_single", operations))),
      alloc_origin_(recorder.ledger().name_origin(fmt::format("{}.alloc", operations))),
      map_event_(recorder, sc_module::name(), "map", "a buffer is mapped"),
      unmap_event_(recorder, sc_module::name(), "unmap", "a mapping ends"),
      number_(recorder, sc_module::name(), "mapping_number", "number of the latest mapping"),
      address_(recorder, sc_module::name(), "mapping_address", "its address on the bus"),
      original_(recorder, sc_module::name(), "mapping_original", "the buffer that it is for"),
      size_(recorder, sc_module::name(), "mapping_size", "its bytes"),
      direction_(recorder, sc_module::name(), "mapping_direction", "its direction"),
      request_(recorder, sc_module::name(), "mapping_request",
               "the device's request that it is for; 0: none, or one that has no number yet"),
      unmapped_(recorder, sc_module::name(), "unmapped_number", "number of the mapping that ended last"),
      unmapped_request_(recorder, sc_module::name(), "unmapped_request",
                        "the device's request that it was for; 0: none"),
      maps_(recorder.metrics(), sc_module::name(), "maps", "mappings", "buffers mapped"),
      unmaps_(recorder.metrics(), sc_module::name(), "unmaps", "mappings", "mappings ended"),
      syncs_(recorder.metrics(), sc_module::name(), "syncs", "calls", "sync_single_for_cpu and _for_device"),
      failures_(recorder.metrics(), sc_module::name(), "failures", "calls", "maps and allocs that failed"),
      bytes_mapped_(recorder.metrics(), sc_module::name(), "bytes_mapped", "bytes", "bytes of all mappings"),
      mappings_(recorder.metrics(), sc_module::name(), "mappings", "mappings", "mappings that are alive"),
      coherent_bytes_(recorder.metrics(), sc_module::name(), "coherent_bytes", "bytes",
                      "memory that CPU and device share for good") {}

mapped_dma_ops::entered_call::entered_call(const mapped_dma_ops& into, native_cpu& cpu,
                                           const dma_device& device)
    : in_(cpu) {
    const call_cost& cost = into.call_costs_[static_cast<std::size_t>(device.calls)];
    cpu.spend(cost.work);
    cpu.spend_on_indirect_call(cost.getting_there);
}

// --- streaming mappings

dma_addr mapped_dma_ops::map_page(native_cpu& cpu, dma_device& device, phys_addr page, std::size_t offset,
                                  std::size_t size, dma_data_direction direction, unsigned /*attributes*/) {
    const entered_call call(*this, cpu, device);
    return map_segment(cpu, device, page + offset, size, direction);
}

void mapped_dma_ops::unmap_page(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                                dma_data_direction direction, unsigned attributes) {
    const entered_call call(*this, cpu, device);
    unmap_segment(cpu, device, address, size, direction, attributes);
}

std::size_t mapped_dma_ops::map_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                                   dma_data_direction direction, unsigned /*attributes*/) {
    const entered_call call(*this, cpu, device);
    for (std::size_t i = 0; i < list.size(); ++i) {
        list[i].dma = map_segment(cpu, device, list[i].page, list[i].length, direction);
        if (list[i].dma == dma_mapping_error) {
            for (scatterlist& mapped : list.first(i)) {
                unmap_segment(cpu, device, mapped.dma, mapped.length, direction, dma_attr_skip_cpu_sync);
                mapped.dma = dma_mapping_error;
            }
            return 0;
        }
    }
    return list.size();
}

void mapped_dma_ops::unmap_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                              dma_data_direction direction, unsigned attributes) {
    const entered_call call(*this, cpu, device);
    for (const scatterlist& segment : list) {
        unmap_segment(cpu, device, segment.dma, segment.length, direction, attributes);
    }
}

dma_addr mapped_dma_ops::map_segment(native_cpu& cpu, dma_device& device, phys_addr original,
                                     std::size_t size, dma_data_direction direction) {
    mapping what{.address = {},
                 .original = original,
                 .size = size,
                 .number = recorder_.ledger().new_mapping(),
                 .direction = direction,
                 .min_align_mask = device.min_align_mask,
                 .device = &device};
    if (size == 0) {
        misuse(cpu, device, dma_addr{original.value()}, size, "map of no bytes");
    } else {
        const auto scope = attributed(cpu, map_origin_, what.number);
        what.address = map(cpu, what);
    }
    if (size == 0 || what.address == dma_mapping_error) {
        failures_.add();
        recorder_.ledger().mapping_ended(what.number);
        return dma_mapping_error;
    }
    table_.insert(what);
    maps_.add();
    bytes_mapped_.add(size);
    mappings_.set(table_.size());
    show(what, cpu.request(), cpu.now());
    map_event_.fire(cpu.now());
    return what.address;
}

void mapped_dma_ops::unmap_segment(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                                   dma_data_direction direction, unsigned attributes) {
    const mapping* const found = table_.find(device, address, size, direction);
    if (found == nullptr) {
        misuse(cpu, device, address, size, "unmap of what is not mapped");
        return;
    }
    if (found->size != size || found->direction != direction) {
        misuse(cpu, device, address, size,
               fmt::format("unmap of {} bytes {}; mapped were {} bytes {}", size, to_name(direction),
                           found->size, to_name(found->direction)));
        return;
    }
    // Out of the table first: while the module works, simulated time may pass and another CPU may map and unmap.
    const mapping what = *found;
    table_.erase(found);
    {
        const auto scope = attributed(cpu, unmap_origin_, what.number);
        unmap(cpu, what, attributes);
    }
    recorder_.ledger().mapping_ended(what.number);
    unmaps_.add();
    mappings_.set(table_.size());
    unmapped_.set(what.number, cpu.now());
    unmapped_request_.set(cpu.request(), cpu.now());
    unmap_event_.fire(cpu.now());
}

void mapped_dma_ops::sync_single_for_cpu(native_cpu& cpu, dma_device& device, dma_addr address,
                                         std::size_t size, dma_data_direction direction) {
    const entered_call call(*this, cpu, device);
    if (const mapping* found = mapping_to_sync(cpu, device, address, size, direction);
        found != nullptr && direction != dma_data_direction::to_device) {
        const mapping what = *found;
        const auto scope = attributed(cpu, sync_origin_, what.number);
        sync_for_cpu(cpu, what, address, size);
    }
}

void mapped_dma_ops::sync_single_for_device(native_cpu& cpu, dma_device& device, dma_addr address,
                                            std::size_t size, dma_data_direction direction) {
    const entered_call call(*this, cpu, device);
    if (const mapping* found = mapping_to_sync(cpu, device, address, size, direction);
        found != nullptr && direction != dma_data_direction::from_device) {
        const mapping what = *found;
        const auto scope = attributed(cpu, sync_origin_, what.number);
        sync_for_device(cpu, what, address, size);
    }
}

const mapping* mapped_dma_ops::mapping_to_sync(native_cpu& cpu, dma_device& device, dma_addr address,
                                               std::size_t size, dma_data_direction direction) {
    syncs_.add();
    const mapping* const found = table_.containing(device, address, size);
    if (found == nullptr) {
        misuse(cpu, device, address, size, "sync of what is not mapped");
        return nullptr;
    }
    if (size > found->size - (address - found->address)) {
        misuse(cpu, device, address, size,
               fmt::format("sync of {} bytes from offset {}; mapped were {} bytes", size,
                           address - found->address, found->size));
        return nullptr;
    }
    if (found->direction != dma_data_direction::bidirectional && found->direction != direction) {
        misuse(cpu, device, address, size,
               fmt::format("sync {}; mapped was {}", to_name(direction), to_name(found->direction)));
        return nullptr;
    }
    return found;
}

// --- coherent memory

std::optional<coherent_buffer> mapped_dma_ops::alloc(native_cpu& cpu, dma_device& device, std::size_t size) {
    const entered_call call(*this, cpu, device);
    if (size == 0) {
        misuse(cpu, device, dma_addr{}, size, "alloc of no bytes");
        failures_.add();
        return std::nullopt;
    }
    const std::size_t bytes = whole_pages(std::min<std::size_t>(size, abi::platform::max_ram_size));
    const std::optional<phys_addr> at = bytes < size ? std::nullopt
                                                     : pages->alloc_pages(bytes, std::bit_ceil(bytes));
    if (!at) {
        failures_.add();
        return std::nullopt;
    }
    const auto scope = attributed(cpu, alloc_origin_, 0);
    const std::optional<dma_addr> address = share_coherent(cpu, device, *at, bytes);
    if (!address) {
        pages->free_pages(*at, bytes);
        failures_.add();
        return std::nullopt;
    }
    const coherent_buffer buffer{.cpu_address = *at, .device_address = *address};
    coherent_.push_back({.device = &device, .size = bytes, .buffer = buffer});
    coherent_bytes_.set(coherent_bytes_.value() + bytes);
    return buffer;
}

void mapped_dma_ops::free(native_cpu& cpu, dma_device& device, std::size_t size,
                          const coherent_buffer& buffer) {
    const entered_call call(*this, cpu, device);
    const std::size_t bytes = whole_pages(size);
    const auto found = std::ranges::find_if(coherent_, [&](const coherent& each) {
        return each.device == &device && each.size == bytes &&
               each.buffer.cpu_address == buffer.cpu_address &&
               each.buffer.device_address == buffer.device_address;
    });
    if (found == coherent_.end()) {
        misuse(cpu, device, buffer.device_address, size, "free of what was not allocated");
        return;
    }
    coherent_.erase(found);
    coherent_bytes_.set(coherent_bytes_.value() - bytes);
    unshare_coherent(cpu, device, buffer, bytes);
    pages->free_pages(buffer.cpu_address, bytes);
}

// --- reports

void mapped_dma_ops::printk(native_cpu& cpu, std::string_view message) {
    if (log.size() != 0) {
        log->printk(cpu, message);
    }
}

void mapped_dma_ops::show(const mapping& what, std::uint64_t request, const sc_time& when) {
    number_.set(what.number, when);
    address_.set(what.address, when);
    original_.set(what.original, when);
    size_.set(static_cast<std::uint32_t>(what.size), when);
    direction_.set(what.direction, when);
    request_.set(request, when);
}

void mapped_dma_ops::misuse(native_cpu& cpu, const dma_device& device, dma_addr address, std::size_t size,
                            std::string detail) {
    recorder_.violations().report({.when = cpu.now(),
                                   .kind = report::violation_kind::dma_mapping,
                                   .who = device.name,
                                   .address = address.value(),
                                   .size = size,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = std::move(detail)});
}

}  // namespace pefsim::dma_ops
