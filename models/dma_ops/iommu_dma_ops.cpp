// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/iommu_dma_ops.h"

#include <algorithm>
#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::dma_ops {

namespace {

constexpr unsigned tce_shift = abi::platform::tce_page_shift;
constexpr std::size_t tce_page = std::size_t{1} << tce_shift;
constexpr std::size_t max_tces_per_call = 512;
constexpr std::uint64_t smallest_window = 16 * tce_page;

std::uint64_t permission_of(dma_data_direction direction) {
    return direction == dma_data_direction::to_device ? abi::tce_read : abi::tce_read | abi::tce_write;
}

std::uint64_t bus_address(std::size_t entry) { return std::uint64_t{entry} << tce_shift; }

// Linux aligns what begins on one of its own pages and has at least one like those.
unsigned streaming_align_order(phys_addr at, std::size_t size) {
    return size >= abi::page_size && abi::page_offset(at) == 0 ? abi::page_shift - tce_shift : 0;
}

}  // namespace

iommu_dma_ops::iommu_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder,
                             const config& parameters)
    : mapped_dma_ops(name, recorder, parameters.costs, "iommu"),
      parameters_(parameters),
      lock_cost_(parameters.costs.spinlock_ns, sc_core::SC_NS),
      in_use_signal_(recorder, sc_module::name(), "tces_in_use", "TCEs of 4 KiB that are set"),
      in_use_level_(recorder.metrics(), sc_module::name(), "tces_in_use", "TCEs",
                    "TCEs of 4 KiB that are set"),
      call_failures_(recorder.metrics(), sc_module::name(), "tce_failures", "calls",
                     "H_PUT_TCE, H_PUT_TCE_INDIRECT and H_STUFF_TCE that failed"),
      contention_(recorder.metrics(), sc_module::name()) {
    if (parameters.window_size < smallest_window || parameters.window_size % tce_page != 0) {
        throw std::invalid_argument(
            fmt::format("the DMA window has {} bytes; it must be a multiple of 4096, at least {}",
                        parameters.window_size, smallest_window));
    }
}

std::size_t iommu_dma_ops::max_mapping_size(const dma_device& /*device*/) const { return SIZE_MAX; }

iommu_dma_ops::tce_pages iommu_dma_ops::pages_of(std::uint64_t address, std::size_t size) {
    const std::size_t offset = address & (tce_page - 1);
    return {.first = phys_addr{address - offset},
            .offset = offset,
            .count = (offset + size + tce_page - 1) >> tce_shift};
}

iommu_dma_ops::window& iommu_dma_ops::window_of(const dma_device& device) {
    const auto found = std::ranges::find_if(windows_,
                                            [&](const window& each) { return each.liobn == device.liobn; });
    return found != windows_.end()
               ? *found
               : windows_.emplace_back(device.liobn, parameters_.window_size >> tce_shift);
}

// --- entries of the window

std::optional<std::size_t> iommu_dma_ops::take_entries(native_cpu& cpu, window& of, const dma_device& device,
                                                       std::size_t count, unsigned align_order) {
    const native_cpu::irqs_off irqs_off(cpu);
    timed_spinlock& lock = of.locks[of.entries_in_use.home_pool(count, cpu.number())];
    lock.take(cpu, contention_);
    const auto first = of.entries_in_use.allocate(count, cpu.number(), device.dma_mask >> tce_shift,
                                                  align_order);
    lock.hold_for(cpu, lock_cost_);
    if (!first) {
        if (failure_messages_.allows(cpu.now())) {
            printk(cpu, fmt::format("{}: iommu_alloc failed, liobn {:#x} npages {}", device.name, of.liobn,
                                    count));
        }
        return std::nullopt;
    }
    in_use_ += count;
    show_in_use(cpu);
    return first;
}

void iommu_dma_ops::give_back_entries(native_cpu& cpu, window& of, std::size_t first, std::size_t count) {
    const native_cpu::irqs_off irqs_off(cpu);
    timed_spinlock& lock = of.locks[of.entries_in_use.pool_of(first)];
    lock.take(cpu, contention_);
    of.entries_in_use.free(first, count);
    lock.hold_for(cpu, lock_cost_);
    in_use_ -= count;
    show_in_use(cpu);
}

void iommu_dma_ops::show_in_use(native_cpu& cpu) {
    in_use_level_.set(in_use_);
    in_use_signal_.set(in_use_, cpu.now());
}

// --- TCEs

bool iommu_dma_ops::succeeded(native_cpu& cpu, abi::h_status status, abi::hcall number, const window& of,
                              std::size_t entry) {
    if (status == abi::h_status::h_success) {
        return true;
    }
    call_failures_.add();
    if (failure_messages_.allows(cpu.now())) {
        printk(cpu, fmt::format("{} failed. rc={} liobn={:#x} tcenum={:#x}",
                                abi::hcall_name(static_cast<std::uint64_t>(number)),
                                static_cast<std::int64_t>(status), of.liobn, entry));
    }
    return false;
}

bool iommu_dma_ops::put_tces(native_cpu& cpu, const window& of, std::size_t first, const tce_pages& memory,
                             std::uint64_t permission) {
    for (std::size_t i = 0; i < memory.count; ++i) {
        const std::uint64_t tce = (memory.first.value() + (i << tce_shift)) | permission;
        const auto status = cpu.hypercall(abi::hcall::h_put_tce, {of.liobn, bus_address(first + i), tce});
        if (!succeeded(cpu, status, abi::hcall::h_put_tce, of, first + i)) {
            stuff_tces(cpu, of, first, i);
            return false;
        }
    }
    return true;
}

bool iommu_dma_ops::put_tces_indirect(native_cpu& cpu, const window& of, std::size_t first,
                                      const tce_pages& memory, std::uint64_t permission, phys_addr list) {
    for (std::size_t done = 0; done < memory.count;) {
        const std::size_t count = std::min(memory.count - done, max_tces_per_call);
        abi::h_status status{};
        {
            const native_cpu::irqs_off irqs_off(
                cpu);  // a handler could map, too, and the page is the CPU's only one
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t tce = (memory.first.value() + ((done + i) << tce_shift)) | permission;
                cpu.store(list + i * sizeof tce, boost::endian::native_to_big(tce));
            }
            status = cpu.hypercall(abi::hcall::h_put_tce_indirect,
                                   {of.liobn, bus_address(first + done), list.value(), count});
        }
        if (!succeeded(cpu, status, abi::hcall::h_put_tce_indirect, of, first + done)) {
            stuff_tces(cpu, of, first, done + count);  // how many of this call's were set is not known
            return false;
        }
        done += count;
    }
    return true;
}

void iommu_dma_ops::stuff_tces(native_cpu& cpu, const window& of, std::size_t first, std::size_t count) {
    while (count > 0) {
        const std::size_t part = std::min(count, max_tces_per_call);
        const auto status = cpu.hypercall(abi::hcall::h_stuff_tce, {of.liobn, bus_address(first), 0, part});
        succeeded(cpu, status, abi::hcall::h_stuff_tce, of, first);
        first += part;
        count -= part;
    }
}

std::optional<phys_addr> iommu_dma_ops::list_page(native_cpu& cpu) {
    if (cpu.number() >= list_pages_.size()) {
        list_pages_.resize(cpu.number() + 1);
    }
    auto& own = list_pages_[cpu.number()];
    if (!own) {
        own = pages->alloc_pages(tce_page, tce_page);
    }
    return own;
}

// --- the operations

std::optional<dma_addr> iommu_dma_ops::map_pages(native_cpu& cpu, const dma_device& device,
                                                 const tce_pages& memory, std::uint64_t permission,
                                                 unsigned align_order) {
    window& of = window_of(device);
    const std::optional<std::size_t> first = take_entries(cpu, of, device, memory.count, align_order);
    if (!first) {
        return std::nullopt;
    }
    const std::optional<phys_addr> list = memory.count > 1 && !cpu.secure() ? list_page(cpu) : std::nullopt;
    const bool set = list ? put_tces_indirect(cpu, of, *first, memory, permission, *list)
                          : put_tces(cpu, of, *first, memory, permission);
    if (!set) {
        give_back_entries(cpu, of, *first, memory.count);
        return std::nullopt;
    }
    cpu.barrier();  // the device must not see its address before the TCEs
    return dma_addr{bus_address(*first) + memory.offset};
}

void iommu_dma_ops::unmap_pages(native_cpu& cpu, const dma_device& device, dma_addr address,
                                std::size_t size) {
    window& of = window_of(device);
    const tce_pages on_bus = pages_of(address.value(), size);
    const std::size_t first = on_bus.first.value() >> tce_shift;
    stuff_tces(cpu, of, first, on_bus.count);
    give_back_entries(cpu, of, first, on_bus.count);
}

dma_addr iommu_dma_ops::map(native_cpu& cpu, const mapping& what) {
    if (what.size > parameters_.window_size) {
        return dma_mapping_error;
    }
    return map_pages(cpu, *what.device, pages_of(what.original.value(), what.size),
                     permission_of(what.direction), streaming_align_order(what.original, what.size))
        .value_or(dma_mapping_error);
}

void iommu_dma_ops::unmap(native_cpu& cpu, const mapping& what, unsigned /*attributes*/) {
    unmap_pages(cpu, *what.device, what.address, what.size);
}

std::optional<dma_addr> iommu_dma_ops::share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                                      std::size_t size) {
    cpu.fill(at, size, std::byte{0});
    const auto order = static_cast<unsigned>(std::countr_zero(std::bit_ceil(size >> tce_shift)));
    return map_pages(cpu, device, pages_of(at.value(), size), abi::tce_read | abi::tce_write, order);
}

void iommu_dma_ops::unshare_coherent(native_cpu& cpu, dma_device& device, const coherent_buffer& buffer,
                                     std::size_t size) {
    unmap_pages(cpu, device, buffer.device_address, size);
}

}  // namespace pefsim::dma_ops
