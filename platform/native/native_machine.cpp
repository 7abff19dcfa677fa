// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_machine.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>

#include "abi/direct_window.h"
#include "abi/pci.h"
#include "abi/virtio.h"
#include "dma_ops/io_tlb_pool.h"
#include "platform/buffer_text.h"
#include "platform/seeds.h"
#include "report/metrics.h"
#include "report/run_ending.h"

namespace pefsim::platform {

namespace {

static_assert(swiotlb_slot_size == dma_ops::io_tlb_pool::slot_size);

const native_machine_config& checked(const native_machine_config& config) {
    config.check();
    return config;
}

}  // namespace

native_machine::native_machine(const sc_core::sc_module_name& name, const native_machine_config& config,
                               std::uint64_t seed, const additions& build)
    : machine(name, checked(config), seed, ultravisor::esm_entry::return_to_caller),
      config_(config),
      canaries_(recorder().ledger(), config.canaries, seed_for(seed, random_stream::canaries)) {
    build_guest();
    make_dma_operations();
    if (build) {
        being_built_ = true;
        build(*this);
        being_built_ = false;
    }
    bind_dma_operations();
    if (config_.direct_window && config_.iommu) {
        hand_over_windows();
    }
    group_guest_signals();
    group_signals();
}

native_machine::~native_machine() {
    while (!owned_.empty()) {
        owned_.pop_back();
    }
}

// --- assembly

void native_machine::build_guest() {
    std::vector<cpu::native::native_cpu*> cpus;
    for (unsigned number = 0; number < config_.cpus; ++number) {
        auto& cpu = cpus_.emplace_back(std::make_unique<cpu::native::native_cpu>(
            fmt::format("cpu{}", number).c_str(), recorder(),
            cpu::native::native_cpu::config{.number = number,
                                            .quantum = config_.quantum,
                                            .time_slice = config_.time_slice,
                                            .costs = config_.costs}));
        connect(*cpu);
        cpus.push_back(cpu.get());
    }
    guest::kernel::config parameters{.ram_size = config_.memory_size,
                                     .secure = config_.secure,
                                     .block_devices = static_cast<unsigned>(config_.disks.size()),
                                     .net_devices = config_.network ? 1U : 0U,
                                     .entropy_devices = config_.entropy ? 1U : 0U,
                                     .costs = config_.costs};
    parameters.virtio = {.override_when = config_.override_when,
                         .refused_features = config_.accept_access_platform ? 0
                                                                            : abi::virtio::f_access_platform,
                         .policy = config_.dma_policy,
                         .calls = config_.dma_calls,
                         .direct_window = config_.direct_window,
                         .translated = config_.iommu,
                         .ram_size = config_.memory_size};
    parameters.block.queue_size = static_cast<std::uint16_t>(config_.queue_size);
    parameters.net.queue_size = static_cast<std::uint16_t>(config_.queue_size);
    kernel_ = std::make_unique<guest::kernel>("kernel", recorder(), parameters, cpus);
}

/// Firmware's part of a direct window; the guest sets its TCEs.
void native_machine::hand_over_windows() {
    constexpr unsigned page_shift = abi::direct_window::page_shift;
    const auto shift = std::max<unsigned>(page_shift,
                                          static_cast<unsigned>(std::bit_width(config_.memory_size - 1)));
    for (unsigned devfn = 0; devfn < abi::pci::functions_per_bus; ++devfn) {
        if (host_bridge().function(devfn) != nullptr) {
            host_bridge().iommu().add_dynamic_window(devfn, page_shift, shift);
        }
    }
}

void native_machine::make_dma_operations() {
    for (const dma_operations_row& row : dma_operations_rows()) {
        if (row.which == dma_operations::direct || config_.uses(row.which)) {
            const auto& module = dma_ops_[row.which] = row.make(recorder(), config_);
            module->pages(kernel_->pages);
            module->log(kernel_->log);
        }
    }
    arch_dma_ops_ = &operations(config_.arch_dma_ops);
    if (config_.platform_dma_ops != dma_operations::none) {
        platform_dma_ops_ = &operations(config_.platform_dma_ops);
    }
}

void native_machine::use_as_arch(dma_ops::dma_ops_if& operations) {
    check_that_it_is_built("use_as_arch()");
    arch_dma_ops_ = &operations;
}

void native_machine::use_as_platform(dma_ops::dma_ops_if& operations) {
    check_that_it_is_built("use_as_platform()");
    platform_dma_ops_ = &operations;
}

/// Later, SystemC would take a module for none of the machine's, and the kernel's ports have what they have.
void native_machine::check_that_it_is_built(std::string_view call) const {
    if (!being_built_) {
        throw std::logic_error(fmt::format("{} belongs into build(): the machine is complete", call));
    }
}

/// The experiment: which module of DMA operations stands behind which port of virtio core.
void native_machine::bind_dma_operations() {
    kernel_->virtio.arch_dma_ops(*arch_dma_ops_);
    kernel_->virtio.virtio_direct_dma_ops(operations(dma_operations::direct));
    if (platform_dma_ops_ != nullptr) {
        kernel_->virtio.platform_dma_ops(*platform_dma_ops_);
    }
    if (config_.forces_swiotlb()) {
        kernel_->virtio.bounce_dma_ops(operations(dma_operations::swiotlb));
    }
}

dma_ops::dma_ops_if& native_machine::operations(dma_operations which) {
    const auto found = dma_ops_.find(which);
    if (found == dma_ops_.end()) {
        throw std::logic_error(fmt::format("machine: there are no DMA operations called {}", to_name(which)));
    }
    return *found->second;
}

void native_machine::group_guest_signals() {
    for (const auto& cpu : cpus_) {
        recorder().group(cpu->name(), fmt::format("Guest CPU {}", cpu->number()));
    }
    recorder().group(module("kernel"), "Guest kernel and drivers");
    recorder().group(module("swiotlb"), "DMA operations: swiotlb (bounce buffers)");
    recorder().group(module("iommu"), "DMA operations: iommu (TCEs)");
    recorder().group(module("direct"), "DMA operations: direct");
}

// --- running

void native_machine::load(const guest::kernel::workload& workload) {
    kernel_->run([this, workload](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        canaries_.plant(kernel, cpu);
        kernel.begin_workload(cpu);
        workload(kernel, cpu);
    });
}

void native_machine::run(const guest::kernel::workload& workload) {
    load(workload);
    machine::run();
}

report::run_ending native_machine::how_it_ended() const {
    using enum report::ending_kind;
    switch (kernel_->state()) {
    case guest::kernel_state::finished:
        return {finished, "the guest finished"};
    case guest::kernel_state::panicked:
        if (!kernel_->mistake().empty()) {
            return {scenario_error,
                    fmt::format("mistake in the scenario, in guest_main(): {}", kernel_->mistake())};
        }
        return {kernel_->out_of_memory() ? out_of_memory : panicked,
                fmt::format("guest panic: {}", kernel_->failure())};
    case guest::kernel_state::terminated:
        return ended_by_supervisor();
    default:
        return {interrupted, "simulation was stopped"};
    }
}

std::vector<std::string> native_machine::what_cpus_do() const {
    std::vector<std::string> lines;
    for (const auto& cpu : cpus_) {
        if (cpu->started() && !cpu->halted()) {
            lines.push_back(fmt::format("{} {}", cpu->basename(), kernel_->what_it_does(*cpu)));
        }
    }
    return lines;
}

machine::progress native_machine::how_far() const {
    const std::uint64_t expected = kernel_->requests_expected();
    return {.done = requests_completed(),
            .unit = "requests",
            .of = expected == 0 ? std::nullopt : std::optional(expected)};
}

// --- what happened

std::uint64_t native_machine::devices_with(guest::dma_ops_choice choice) const {
    const report::tally* chosen = recorder().metrics().find_tally(module("kernel.virtio"), "dma_ops");
    return chosen->count(static_cast<std::size_t>(choice));
}

std::uint64_t native_machine::bytes_bounced() const {
    return counter("swiotlb", "bytes_to_bounce") + counter("swiotlb", "bytes_from_bounce");
}

template <class Read>
native_machine::traffic native_machine::completed(Read read) const {
    const report::metric_registry& metrics = recorder().metrics();
    const auto sum = [&](const std::string& driver, std::string_view in, std::string_view out) {
        return read(*metrics.find_counter(driver, in)) + read(*metrics.find_counter(driver, out));
    };
    traffic all;
    for (std::size_t disk = 0; disk < config_.disks.size(); ++disk) {
        const std::string driver = module(fmt::format("kernel.virtio_blk{}", disk));
        all.bytes += sum(driver, "bytes_read", "bytes_written");
        all.requests += read(*metrics.find_tally(driver, "results"));
    }
    if (config_.network) {
        const std::string driver = module("kernel.virtio_net0");
        all.bytes += sum(driver, "bytes_received", "bytes_sent");
        all.requests += sum(driver, "frames_received", "frames_sent");
    }
    return all;
}

native_machine::traffic native_machine::completed() const {
    return completed([](const auto& metric) {
        if constexpr (requires { metric.total(); }) {
            return metric.total();
        } else {
            return metric.value();
        }
    });
}

std::uint64_t native_machine::requests_completed() const { return completed().requests; }

report::run_facts native_machine::facts() const {
    report::run_facts facts = machine::facts();
    const report::metric_registry& metrics = recorder().metrics();
    const double seconds = metrics.rate_window(elapsed()).length().to_seconds();
    if (kernel_->workload_begin() > sc_core::SC_ZERO_TIME && seconds > 0) {
        const traffic done = completed([&](const auto& metric) { return metrics.in_window(metric); });
        facts.figures.push_back({"workload_time", seconds * 1e6, "us",
                                 "from the workload's start to its end; all rates are of it"});
        facts.figures.push_back({"throughput", static_cast<double>(done.bytes) / seconds / 1e6, "MB/s",
                                 "data of completed requests and frames, by the workload's time"});
        facts.figures.push_back({"request_rate", static_cast<double>(done.requests) / seconds, "1/s",
                                 "completed requests and frames, by the workload's time"});
    }
    const std::uint64_t bytes = completed().bytes;
    if (bytes_bounced() > 0 && bytes > 0) {
        facts.figures.push_back({"bounce_factor",
                                 static_cast<double>(bytes_bounced()) / static_cast<double>(bytes), "",
                                 "bytes copied to and from bounce buffers for each byte of data"});
    }
    return facts;
}

}  // namespace pefsim::platform
