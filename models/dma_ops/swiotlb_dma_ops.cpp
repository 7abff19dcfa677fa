// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/swiotlb_dma_ops.h"

#include <fmt/format.h>
#include <stdexcept>

#include "dma_ops/memory_encryption.h"
#include "report/journeys.h"

namespace pefsim::dma_ops {

using sc_core::sc_time;

namespace {

// IO_TLB_MIN_SLABS: with less than this free, Linux does without a pool.
constexpr std::size_t min_slots = (std::size_t{1} << 20) >> io_tlb_pool::slot_shift;

dma_addr phys_to_dma(const dma_device& device, phys_addr at) {
    return dma_addr{at.value() + device.dma_offset};
}
phys_addr dma_to_phys(const dma_device& device, dma_addr at) {
    return phys_addr{at.value() - device.dma_offset};
}

bool dma_capable(const dma_device& device, dma_addr address, std::size_t size) {
    return address.value() + size - 1 <= device.dma_mask;
}

const swiotlb_dma_ops::config& checked(const swiotlb_dma_ops::config& parameters) {
    if (parameters.pool_size == 0) {
        throw std::invalid_argument("the SWIOTLB pool has 0 bytes; it must have at least one");
    }
    if (parameters.cpus == 0) {
        throw std::invalid_argument("SWIOTLB for 0 CPUs; there must be at least one");
    }
    return parameters;
}

}  // namespace

swiotlb_dma_ops::swiotlb_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder,
                                 const config& parameters)
    : mapped_dma_ops(name, recorder, parameters.costs, "swiotlb"),
      parameters_(checked(parameters)),
      lock_cost_(parameters.costs.spinlock_ns, sc_core::SC_NS),
      slot_cost_units_(parameters.costs.swiotlb_slot_cycles * parameters.costs.cpu_cycle_ns * 1e-9 /
                       sc_core::sc_get_time_resolution().to_seconds()),
      copy_direction_(recorder, sc_module::name(), "copy_direction", "bounce copy that runs, or ran last"),
      copy_bytes_(recorder, sc_module::name(), "copy_bytes", "its bytes; 0 while none runs"),
      copy_request_(recorder, sc_module::name(), "copy_request",
                    "the device's request that it is for; 0: none, or one that has no number yet"),
      used_signal_(recorder, sc_module::name(), "pool_used", "slots of 2 KiB that are taken"),
      high_water_signal_(recorder, sc_module::name(), "pool_high_water", "most slots ever taken"),
      full_(recorder, sc_module::name(), "pool_full", "a map found no slots"),
      bytes_to_bounce_(recorder.metrics(), sc_module::name(), "bytes_to_bounce", "bytes",
                       "copied from buffers into the pool"),
      bytes_from_bounce_(recorder.metrics(), sc_module::name(), "bytes_from_bounce", "bytes",
                         "copied from the pool back into buffers"),
      pool_slots_(recorder.metrics(), sc_module::name(), "pool_slots", "slots", "slots of 2 KiB in the pool"),
      pool_used_(recorder.metrics(), sc_module::name(), "pool_used", "slots", "slots that are taken"),
      contention_(recorder.metrics(), sc_module::name()) {
    std::vector<sc_time> costs;
    for (std::size_t visited = 0; visited <= 2 * io_tlb_pool::set_slots; ++visited) {
        costs.push_back(slots_cost(visited));
    }
    slot_costs_.swap(costs);
    recorder.journeys().series().watch_pool(pool_used_);
}

// --- the pool

void swiotlb_dma_ops::setup(native_cpu& cpu) {
    if (!pool_allocated_) {
        pool_allocated_ = true;
        allocate_pool(cpu);
    }
    if (pool_ && cpu.secure() && !pool_shared_) {
        pool_shared_ = true;
        set_memory_decrypted(cpu, pool_->start(), pool_->size());
    }
}

void swiotlb_dma_ops::allocate_pool(native_cpu& cpu) {
    auto size = io_tlb_pool::geometry_for(parameters_.pool_size, parameters_.cpus);
    std::optional<phys_addr> start;
    while (!(start = pages->alloc_pages(size.slots << io_tlb_pool::slot_shift, abi::page_size))) {
        if (size.slots <= min_slots) {
            printk(cpu, "software IO TLB: No low mem");
            return;
        }
        size = io_tlb_pool::halved(size);
    }
    // Linux has the pool cleared here. Sharing it clears it; and in an ordinary guest the host can read all memory
    // anyway.
    pool_.emplace(*start, size.slots, size.areas);
    locks_.resize(size.areas);
    pool_slots_.set(size.slots);
    printk(cpu, fmt::format("software IO TLB: mapped [mem {:#018x}-{:#018x}] ({}MB)", start->value(),
                            start->value() + pool_->size(), pool_->size() >> 20));
}

sc_time swiotlb_dma_ops::slots_cost(std::size_t visited) const {
    if (visited < slot_costs_.size()) {
        return slot_costs_[visited];
    }
    return sc_time::from_value(
        static_cast<sc_time::value_type>(static_cast<double>(visited) * slot_cost_units_ + 0.5));
}

void swiotlb_dma_ops::show_used(native_cpu& cpu) {
    pool_used_.set(pool_->used());
    const sc_time now = cpu.now();
    used_signal_.set(static_cast<std::uint32_t>(pool_used_.value()), now);
    high_water_signal_.set(static_cast<std::uint32_t>(pool_used_.high_water()), now);
}

std::optional<phys_addr> swiotlb_dma_ops::find_slots(native_cpu& cpu, const mapping& what) {
    const io_tlb_pool::request wanted{
        .original = what.original, .size = what.size, .min_align_mask = what.min_align_mask};
    const unsigned first = cpu.number() & (pool_->areas() - 1);
    unsigned area = first;
    do {
        const native_cpu::irqs_off irqs_off(cpu);
        locks_[area].take(cpu, contention_);
        std::size_t visited = 0;
        const auto found = pool_->allocate(area, wanted, visited);
        locks_[area].hold_for(cpu, lock_cost_, slots_cost(visited));
        if (found) {
            show_used(cpu);
            return found->address;
        }
        area = (area + 1) % pool_->areas();
    } while (area != first);
    return std::nullopt;
}

void swiotlb_dma_ops::release_slots(native_cpu& cpu, const mapping& what) {
    const phys_addr at = dma_to_phys(*what.device, what.address);
    const unsigned area = pool_->area_of(at);
    const native_cpu::irqs_off irqs_off(cpu);
    locks_[area].take(cpu, contention_);
    const auto released = pool_->release(at, what.min_align_mask);
    locks_[area].hold_for(cpu, lock_cost_, slots_cost(released.visited));
    show_used(cpu);
}

void swiotlb_dma_ops::complain_full(native_cpu& cpu, const mapping& what) {
    full_.fire(cpu.now());
    if (full_messages_.allows(cpu.now())) {
        printk(cpu,
               fmt::format("{}: swiotlb buffer is full (sz: {} bytes), total {} (slots), used {} (slots)",
                           what.device->name, what.size, pool_->slots().size(), pool_->used()));
    }
}

// --- copies

void swiotlb_dma_ops::bounce(native_cpu& cpu, const mapping& what, phys_addr bounce_address, std::size_t size,
                             bounce_direction direction) {
    const auto place = pool_->locate(bounce_address, what.min_align_mask);
    if (!place || place->left < size) {
        throw std::logic_error(
            fmt::format("{}: {}: mapping {} of {} bytes at {:#x} has no bounce slots for {} bytes",
                        cpu.now().to_string(), name(), what.number, what.size, bounce_address.value(), size));
    }
    const bool to_bounce = direction == bounce_direction::to_bounce;
    const sc_time begin = cpu.now();
    copy_direction_.set(direction, begin);
    copy_bytes_.set(static_cast<std::uint32_t>(size), begin);
    copy_request_.set(cpu.request(), begin);
    if (to_bounce) {
        cpu.copy(bounce_address, place->original, size);
        bytes_to_bounce_.add(size);
    } else {
        cpu.copy(place->original, bounce_address, size);
        bytes_from_bounce_.add(size);
    }
    const sc_time end = cpu.now();
    copy_bytes_.set(0, end);
}

// --- the operations

dma_addr swiotlb_dma_ops::map(native_cpu& cpu, const mapping& what) {
    if (!pool_) {
        if (full_messages_.allows(cpu.now())) {
            printk(cpu,
                   fmt::format(
                       "{}: Can not allocate SWIOTLB buffer earlier and can't now provide you with the DMA "
                       "bounce buffer",
                       what.device->name));
        }
        return dma_mapping_error;
    }
    const std::optional<phys_addr> found = find_slots(cpu, what);
    if (!found) {
        complain_full(cpu, what);
        return dma_mapping_error;
    }
    // Also for FROM_DEVICE: what the device does not write must come back as it was, not as a former user's bytes.
    bounce(cpu, what, *found, what.size, bounce_direction::to_bounce);

    mapping placed = what;
    placed.address = phys_to_dma(*what.device, *found);
    if (!dma_capable(*what.device, placed.address, what.size)) {
        release_slots(cpu, placed);
        printk(cpu, fmt::format("{}: swiotlb addr {:#x}+{} overflow (mask {:x})", what.device->name,
                                placed.address.value(), what.size, what.device->dma_mask));
        return dma_mapping_error;
    }
    return placed.address;
}

void swiotlb_dma_ops::unmap(native_cpu& cpu, const mapping& what, unsigned attributes) {
    if (what.direction != dma_data_direction::to_device && (attributes & dma_attr_skip_cpu_sync) == 0) {
        bounce(cpu, what, dma_to_phys(*what.device, what.address), what.size, bounce_direction::from_bounce);
    }
    release_slots(cpu, what);
}

void swiotlb_dma_ops::sync_for_cpu(native_cpu& cpu, const mapping& what, dma_addr from, std::size_t size) {
    bounce(cpu, what, dma_to_phys(*what.device, from), size, bounce_direction::from_bounce);
}

void swiotlb_dma_ops::sync_for_device(native_cpu& cpu, const mapping& what, dma_addr from, std::size_t size) {
    bounce(cpu, what, dma_to_phys(*what.device, from), size, bounce_direction::to_bounce);
}

std::size_t swiotlb_dma_ops::max_mapping_size(const dma_device& device) const {
    return io_tlb_pool::max_mapping_size(device.min_align_mask);
}

std::optional<dma_addr> swiotlb_dma_ops::share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                                        std::size_t size) {
    const dma_addr address = phys_to_dma(device, at);
    if (!dma_capable(device, address, size)) {
        return std::nullopt;
    }
    set_memory_decrypted(cpu, at, size);
    cpu.fill(at, size, std::byte{0});
    return address;
}

void swiotlb_dma_ops::unshare_coherent(native_cpu& cpu, dma_device& /*device*/, const coherent_buffer& buffer,
                                       std::size_t size) {
    set_memory_encrypted(cpu, buffer.cpu_address, size);
}

}  // namespace pefsim::dma_ops
