// SPDX-License-Identifier: Apache-2.0
#include "guest/kernel.h"

#include <algorithm>
#include <fmt/format.h>
#include <type_traits>

#include "abi/ucall.h"
#include "abi/virtio_pci.h"
#include "guest/device_tree.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "report/violations.h"

namespace pefsim::guest {

namespace {

constexpr std::string_view banner = "pefsim native guest kernel";

std::string scope_of(const sc_core::sc_module& kernel, std::string_view name) {
    return fmt::format("{}.{}", kernel.name(), name);
}

/// Pages below the end of the device tree are the image's and firmware's.
std::uint64_t checked_ram_size(const kernel::config& parameters, phys_addr device_tree) {
    const std::uint64_t least = device_tree.value() + 2 * abi::page_size;
    if (parameters.ram_size < least || parameters.ram_size % abi::page_size != 0 ||
        parameters.ram_size > abi::platform::max_ram_size) {
        throw std::invalid_argument(
            fmt::format("guest memory of {} bytes; multiples of 64 KiB from {} to {} are allowed",
                        parameters.ram_size, least, abi::platform::max_ram_size));
    }
    return parameters.ram_size;
}

}  // namespace

kernel::kernel(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters,
               std::vector<native_cpu*> cpus)
    : sc_module(name),
      pages("pages"),
      log("log"),
      virtio("virtio", recorder, parameters.virtio),
      recorder_(recorder),
      parameters_(parameters),
      cpus_(std::move(cpus)),
      page_allocator_(recorder, sc_module::name(), checked_ram_size(parameters, device_tree_base)),
      slab_(page_allocator_),
      console_(parameters.costs),
      interrupts_(recorder, scope_of(*this, "irq"), static_cast<unsigned>(cpus_.size())),
      scheduler_(interrupts_, cpus_),
      pci_(recorder),
      environment_{recorder, parameters_.costs, slab_, pci_, interrupts_, scheduler_, virtio, console_},
      state_(recorder, sc_module::name(), "state", "how far the guest has come") {
    pages.bind(page_allocator_);
    log.bind(console_);
    page_allocator_.reserve(phys_addr{0}, device_tree_base.value() + abi::page_size);
    const auto add = [this](auto& drivers, std::string_view kind, const auto&... parameter) -> auto& {
        using driver = typename std::remove_reference_t<decltype(drivers)>::value_type::element_type;
        const std::string device = fmt::format("virtio-{}{}", kind, drivers.size());
        drivers.push_back(
            std::make_unique<driver>(environment_, parameter..., scope_of_driver(device), device));
        drivers_.push_back({drivers.back().get()});
        return *drivers.back();
    };
    for (unsigned i = 0; i < parameters.block_devices; ++i) {
        add(blocks_, "blk", parameters.block);
    }
    for (unsigned i = 0; i < parameters.net_devices; ++i) {
        stacks_.push_back(std::make_unique<inet_stack>(environment_, parameters.inet,
                                                       scope_of(*this, fmt::format("inet{}", i)),
                                                       add(cards_, "net", parameters.net)));
    }
    for (unsigned i = 0; i < parameters.entropy_devices; ++i) {
        add(entropies_, "rng");
    }
    if (cpus_.empty()) {
        throw std::invalid_argument("a guest needs at least one CPU");
    }
    for (native_cpu* cpu : cpus_) {
        cpu->on_block_write(
            [this, cpu](phys_addr at, std::size_t size) { check_block_write(*cpu, at, size); });
    }
    cpus_.front()->load([this](native_cpu& cpu) { guarded(cpu, &kernel::boot); });
}

out_of_memory::out_of_memory(std::size_t bytes)
    : kernel_panic(fmt::format("out of memory: {} bytes", bytes)) {}

// --- life

// A handler must not wait: other CPUs' exceptions would meet in it. So it only takes note.
void kernel::guarded(native_cpu& cpu, void (kernel::*program)(native_cpu&)) {
    std::optional<std::string> panicked;
    try {
        (this->*program)(cpu);
        return;
    } catch (const guest::out_of_memory& why) {
        panicked = why.what();
        out_of_memory_ = failure_.empty();
    } catch (const kernel_panic& why) {
        panicked = why.what();
    } catch (const cpu::native::guest_terminated&) {
        panicked.reset();
    } catch (const sc_core::sc_unwind_exception&) {
        throw;  // SystemC takes the process down
    } catch (const std::exception& why) {
        if (state() != kernel_state::running) {
            throw;
        }
        panicked = mistake_ = why.what();
    } catch (...) {
        if (state() != kernel_state::running) {
            throw;
        }
        panicked = mistake_ = "an exception that is no std::exception";
    }
    if (panicked) {
        panic(cpu, *panicked);
    } else {
        terminated(cpu);
    }
}

void kernel::boot(native_cpu& cpu) {
    state_.set(kernel_state::booting, cpu.now());
    cpu.local_irq_disable();
    printk(cpu, fmt::format("{}: {} CPUs, {} MiB", banner, cpus_.size(), parameters_.ram_size >> 20));
    load_image(cpu);
    if (parameters_.secure) {
        enter_secure_mode(cpu);
    }
    interrupts_.set_up(cpu);
    cpu.local_irq_enable();
    virtio.set_up(cpu);
    start_secondaries(cpu);
    state_.set(kernel_state::probing, cpu.now());
    probe_devices(cpu);
    run_workload(cpu);
    scheduler_.stop(cpu);
    end(cpu, kernel_state::finished);
}

// Kernel image and device tree: what the Ultravisor finds at kbase and fdt.
void kernel::load_image(native_cpu& cpu) {
    const native_cpu::call_scope named(cpu, cpu.name_call("prom_init"));
    cpu.write(kernel_base, std::as_bytes(std::span(banner)));
    const std::vector<std::byte> tree = flat_device_tree(
        parameters_.ram_size, static_cast<unsigned>(cpus_.size()), parameters_.command_line);
    if (tree.size() > abi::page_size) {
        throw kernel_panic(fmt::format("a device tree of {} bytes does not fit its page", tree.size()));
    }
    cpu.write(device_tree_base, tree);
}

void kernel::enter_secure_mode(native_cpu& cpu) {
    state_.set(kernel_state::entering_secure_mode, cpu.now());
    printk(cpu, "Switching to secure mode.");
    const native_cpu::call_scope named(cpu, cpu.name_call("enter_secure_mode"));
    const abi::u_status status = cpu.ultracall(abi::ucall::uv_esm,
                                               {kernel_base.value(), device_tree_base.value()});
    if (!cpu.secure()) {
        throw kernel_panic(
            fmt::format("Switch to secure mode failed (UV_ESM: {})", static_cast<std::int64_t>(status)));
    }
}

void kernel::start_secondaries(native_cpu& cpu) {
    for (std::size_t i = 1; i < cpus_.size(); ++i) {
        cpu.start_secondary(*cpus_[i],
                            [this](native_cpu& secondary) { guarded(secondary, &kernel::boot_secondary); });
    }
}

void kernel::boot_secondary(native_cpu& cpu) {
    interrupts_.set_up(cpu);
    cpu.local_irq_enable();
    scheduler_.serve(cpu);
}

void kernel::run_workload(native_cpu& cpu) {
    state_.set(kernel_state::running, cpu.now());
    begin_workload(cpu);
    if (workload_) {
        workload_(*this, cpu);
    }
    scheduler_.join(cpu);
    workload_end_ = cpu.now();
    recorder_.metrics().end_window(workload_end_);
}

void kernel::begin_workload(const native_cpu& cpu) {
    workload_begin_ = cpu.now();
    recorder_.metrics().begin_window(workload_begin_);
    recorder_.journeys().series().begin(workload_begin_);
}

void kernel::panic(native_cpu& cpu, std::string_view why) {
    if (failure_.empty()) {
        failure_ = why;
    }
    cpu.local_irq_disable();
    printk(cpu, fmt::format("Kernel panic - not syncing: {}", why));
    end(cpu, kernel_state::panicked);
}

void kernel::terminated(native_cpu& cpu) {
    if (failure_.empty()) {
        failure_ = "the virtual machine was terminated";
    }
    end(cpu, kernel_state::terminated);
    throw cpu::native::guest_terminated{};
}

void kernel::end(native_cpu& cpu, kernel_state how) {
    cpu.local_irq_disable();
    cpu.synchronize();
    state_.set(how, cpu.now());
    if (parameters_.stop_when_finished) {
        sc_core::sc_stop();
    }
}

// --- devices

void kernel::probe_devices(native_cpu& cpu) {
    pci_.enumerate(cpu);
    for (const pci_device& device : pci_.devices()) {
        probe(cpu, device);
    }
}

void kernel::probe(native_cpu& cpu, const pci_device& pci) {
    const auto fits = [&pci](const driver_place& each) {
        return pci.vendor_id == abi::virtio::pci::vendor_id &&
               pci.device_id == abi::virtio::pci::pci_device_id(each.driver->drives());
    };
    const auto free = std::ranges::find_if(
        drivers_, [&](const driver_place& each) { return fits(each) && !each.taken; });
    if (free == drivers_.end()) {
        const std::string place = fmt::format("pci {:02x}.{}", abi::pci::device_of(pci.devfn),
                                              abi::pci::function_of(pci.devfn));
        printk(cpu,
               std::ranges::any_of(drivers_, fits)
                   ? fmt::format("{}: one device more than drivers", place)
                   : fmt::format("{}: no driver for {:04x}:{:04x}", place, pci.vendor_id, pci.device_id));
        return;
    }
    free->taken = true;
    virtio_driver& driver = *free->driver;
    if (driver.probe(cpu, pci)) {
        printk(cpu, fmt::format("{}: dma_ops {} ({})", driver.device().name(),
                                driver.device().dma_operations().operations(),
                                driver.device().selection().reason));
    } else if (const dma_ops_selection why = driver.device().selection();
               why.choice == dma_ops_choice::none && why.reason != "-") {
        printk(cpu, fmt::format("{}: not usable: {}", driver.device().name(), why.reason));
    } else {
        printk(cpu, fmt::format("{}: not usable", driver.device().name()));
    }
}

/// "virtio-blk0" has its signals and metrics in virtio_blk0.
std::string kernel::scope_of_driver(std::string_view name) const {
    std::string scope(name);
    std::ranges::replace(scope, '-', '_');
    return scope_of(*this, scope);
}

bool kernel::has_device(const virtio_driver& driver) const {
    return std::ranges::any_of(
        drivers_, [&](const driver_place& each) { return each.driver == &driver && each.taken; });
}

unsigned kernel::block_devices() const {
    return static_cast<unsigned>(
        std::ranges::count_if(blocks_, [this](const auto& each) { return has_device(*each); }));
}

virtio_blk_driver& kernel::block(unsigned index) {
    if (index >= blocks_.size() || !has_device(*blocks_[index])) {
        throw kernel_panic(fmt::format("there is no virtio-blk{}", index));
    }
    return *blocks_[index];
}

inet_stack& kernel::net(unsigned index) {
    if (index >= cards_.size() || !has_device(*cards_[index])) {
        throw kernel_panic(fmt::format("there is no virtio-net{}", index));
    }
    return *stacks_[index];
}

virtio_rng_driver& kernel::entropy(unsigned index) {
    if (index >= entropies_.size() || !has_device(*entropies_[index])) {
        throw kernel_panic(fmt::format("there is no virtio-rng{}", index));
    }
    return *entropies_[index];
}

// --- services

std::string kernel::what_it_does(const native_cpu& cpu) const {
    std::string doing = scheduler_.what_it_does(cpu);
    if (state() == kernel_state::running) {
        return doing;
    }
    return fmt::format("{}, the kernel is {}", doing, to_name(state()));
}

buffer kernel::alloc(std::size_t bytes) {
    const auto at = slab_.alloc(bytes);
    if (!at) {
        throw guest::out_of_memory(bytes);
    }
    return {slab_, *at, bytes};
}

void kernel::check_block_write(const native_cpu& cpu, phys_addr at, std::size_t size) {
    const std::optional<slab_allocator::piece> buffer = slab_.buffer_at(at);
    if (!buffer || size <= buffer->size - (at.value() - buffer->at.value())) {
        return;
    }
    const std::uint64_t beyond = at.value() + size - (buffer->at.value() + buffer->size);
    recorder_.violations().report(
        {.when = cpu.now(),
         .kind = report::violation_kind::past_buffer,
         .who = cpu.basename(),
         .address = at.value(),
         .size = size,
         .page_state = {},
         .request = 0,
         .detail = fmt::format("the last {} bytes lie behind the end of a buffer of {} bytes at {:#x}",
                               beyond, buffer->size, buffer->at.value())});
}

void kernel::on_every_cpu(native_cpu& cpu, const scheduler::task& work) {
    for (unsigned target = 0; target < cpus(); ++target) {
        if (target != cpu.number()) {
            run_on(cpu, target, work);
        }
    }
    work(cpu);
    if (cpus() > 1) {
        join(cpu);
    }
}

}  // namespace pefsim::guest
