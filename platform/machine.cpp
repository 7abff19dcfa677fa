// SPDX-License-Identifier: Apache-2.0
#include "platform/machine.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <set>
#include <stdexcept>

#include "abi/platform.h"
#include "backend/disk_image.h"
#include "backend/memory_disk.h"
#include "virtio/block.h"
#include "virtio/entropy.h"
#include "virtio/net.h"
#include "virtio/virtio_pci_device.h"

namespace pefsim::platform {
namespace {

using sc_core::sc_time;

/// Everything random in a machine has a seed of its own, all of them from the one that the user gives.
enum class stream : std::uint64_t { ultravisor = 1, hypervisor, entropy, canaries, disks };
std::uint64_t seed_for(std::uint64_t seed, stream which, std::uint64_t number = 0) {
    std::seed_seq mixed{seed & 0xffff'ffff, seed >> 32, static_cast<std::uint64_t>(which), number};
    return std::mt19937_64(mixed)();
}

backend::image_mode mode_of(disk_access access) {
    switch (access) {
    case disk_access::read_write:
        return backend::image_mode::read_write;
    case disk_access::read_only:
        return backend::image_mode::read_only;
    case disk_access::snapshot:
        return backend::image_mode::snapshot;
    }
    return backend::image_mode::read_only;
}

constexpr std::array shared_states{memory::page_state::normal, memory::page_state::shared,
                                   memory::page_state::shared_implicit};

}  // namespace

machine::machine(const sc_core::sc_module_name& name, const machine_config& config, std::uint64_t seed)
    : sc_module(name),
      config_(config),
      seed_(seed),
      canaries_(recorder_.ledger(), config.canaries, seed_for(seed, stream::canaries)) {
    config_.check();
    build_host();
    build_devices();
    build_guest();
    group_signals();
}

machine::~machine() = default;

// --- assembly

void machine::build_host() {
    memory_ = std::make_unique<memory::memory_bus>(
        "memory", recorder_, memory::memory_bus::config{.ram_size = config_.memory_size});
    xics_ = std::make_unique<interrupt::xics>("xics", recorder_,
                                              interrupt::xics::config{.servers = config_.cpus});
    host_bridge_ = std::make_unique<pci::host_bridge>(
        "pci", recorder_,
        pci::host_bridge::config{
            .ram_size = config_.memory_size, .iommu_bypass = !config_.iommu, .costs = config_.costs});
    host_bridge_->memory.bind(memory_->initiators);
    host_bridge_->interrupts(*xics_);

    hypervisor::hypervisor::config host{.ram_size = config_.memory_size,
                                        .on_secure_page = config_.policy == host_policy::page_out
                                                              ? hypervisor::secure_page_policy::page_out
                                                              : hypervisor::secure_page_policy::bus_error,
                                        .seed = seed_for(seed_, stream::hypervisor),
                                        .costs = config_.costs};
    hypervisor_ = std::make_unique<hypervisor::hypervisor>("hypervisor", recorder_, host, *xics_,
                                                           host_bridge_->iommu());
    hypervisor_->memory.bind(memory_->initiators);
    hypervisor_->mmio.bind(host_bridge_->mmio);
    memory_->host_fault(*hypervisor_);

    if (config_.ultravisor) {
        ultravisor_ = std::make_unique<ultravisor::ultravisor>(
            "ultravisor", recorder_, *memory_,
            ultravisor::ultravisor::config{.costs = config_.costs,
                                           .seed = seed_for(seed_, stream::ultravisor)});
        ultravisor_->hypervisor(*hypervisor_);
        hypervisor_->ultravisor(*ultravisor_);
    }
}

template <class Device>
Device& machine::add_device(const std::string& name, const typename Device::config& parameters) {
    const virtio::virtio_pci_device::config transport{.access_platform = config_.access_platform,
                                                      .indirect_desc = config_.indirect,
                                                      .event_idx = config_.event_idx,
                                                      .costs = config_.costs};
    auto function = std::make_unique<virtio::on_pci<Device>>(name.c_str(), recorder_, transport, parameters);
    Device& device = function->device;
    const auto slot = static_cast<unsigned>(functions_.size() + 1);
    host_bridge_->attach(slot << 3, *function);
    functions_.push_back(std::move(function));
    return device;
}

void machine::add_disk(const disk_config& disk) {
    const std::size_t number = disks_.size();
    if (disk.image.empty()) {
        disks_.push_back(std::make_unique<backend::memory_disk>(
            backend::memory_disk::config{.size = disk.size,
                                         .initial = disk.blank ? backend::memory_disk::content::zero
                                                               : backend::memory_disk::content::pseudo_random,
                                         .seed = seed_for(seed_, stream::disks, number),
                                         .read_only = disk.access == disk_access::read_only,
                                         .id = fmt::format("memory{}", number)}));
    } else {
        disks_.push_back(std::make_unique<backend::disk_image>(disk.image, mode_of(disk.access)));
    }
    add_device<virtio::block>(fmt::format("virtio-blk{}", number),
                              {.queues = static_cast<std::uint16_t>(config_.cpus),
                               .queue_size = static_cast<std::uint16_t>(config_.queue_size),
                               .costs = config_.costs})
        .disk(*disks_.back());
}

void machine::build_devices() {
    for (const disk_config& disk : config_.disks) {
        add_disk(disk);
    }
    if (config_.network) {
        peer_ = std::make_unique<backend::network_peer>(
            "peer", recorder_,
            backend::network_peer::config{.mtu = static_cast<std::uint16_t>(config_.mtu),
                                          .seed = seed_,
                                          .pcap = config_.pcap,
                                          .costs = config_.costs});
        add_device<virtio::net>("virtio-net0", {.queue_size = static_cast<std::uint16_t>(config_.queue_size),
                                                .mtu = static_cast<std::uint16_t>(config_.mtu),
                                                .costs = config_.costs})
            .network(*peer_);
    }
    if (config_.entropy) {
        entropy_ = std::make_unique<backend::entropy_source>(seed_for(seed_, stream::entropy));
        add_device<virtio::entropy>("virtio-rng0", {.costs = config_.costs}).source(*entropy_);
    }
}

void machine::build_guest() {
    std::vector<cpu::native::native_cpu*> cpus;
    for (unsigned number = 0; number < config_.cpus; ++number) {
        auto& cpu = cpus_.emplace_back(std::make_unique<cpu::native::native_cpu>(
            fmt::format("cpu{}", number).c_str(), recorder_,
            cpu::native::native_cpu::config{
                .number = number, .quantum = config_.quantum, .costs = config_.costs}));
        cpu->state()[cpu::spr::lpidr] = abi::platform::lpid;
        cpu->bus.bind(memory_->initiators);
        cpu->hypervisor(*hypervisor_);
        if (ultravisor_) {
            cpu->ultravisor(*ultravisor_);
        }
        xics_->lines(*cpu);
        cpus.push_back(cpu.get());
    }
    guest::kernel::config parameters{.ram_size = config_.memory_size,
                                     .secure = config_.secure,
                                     .block_devices = static_cast<unsigned>(config_.disks.size()),
                                     .net_devices = config_.network ? 1U : 0U,
                                     .entropy_devices = config_.entropy ? 1U : 0U,
                                     .costs = config_.costs};
    parameters.virtio.override_when = config_.override_when;
    parameters.block.queue_size = static_cast<std::uint16_t>(config_.queue_size);
    parameters.net.queue_size = static_cast<std::uint16_t>(config_.queue_size);
    kernel_ = std::make_unique<guest::kernel>("kernel", recorder_, parameters, cpus);
    bind_dma_operations();
}

/// The experiment: which module of DMA operations stands behind which port of virtio core.
void machine::bind_dma_operations() {
    const auto serve = [this](auto& module) {
        module.pages(kernel_->pages);
        module.log(kernel_->log);
    };
    direct_ = std::make_unique<dma_ops::direct_dma_ops>(
        "direct", recorder_, dma_ops::direct_dma_ops::config{.costs = config_.costs});
    serve(*direct_);
    if (config_.uses(dma_operations::swiotlb)) {
        swiotlb_ = std::make_unique<dma_ops::swiotlb_dma_ops>(
            "swiotlb", recorder_,
            dma_ops::swiotlb_dma_ops::config{.pool_size = config_.swiotlb_size,
                                             .cpus = config_.swiotlb_areas == 0 ? config_.cpus
                                                                                : config_.swiotlb_areas,
                                             .costs = config_.costs});
        serve(*swiotlb_);
    }
    if (config_.uses(dma_operations::iommu)) {
        iommu_ = std::make_unique<dma_ops::iommu_dma_ops>(
            "iommu", recorder_, dma_ops::iommu_dma_ops::config{.costs = config_.costs});
        serve(*iommu_);
    }
    kernel_->virtio.arch_dma_ops(operations(config_.arch_dma_ops));
    kernel_->virtio.virtio_direct_dma_ops(*direct_);
    if (config_.platform_dma_ops != dma_operations::none) {
        kernel_->virtio.platform_dma_ops(operations(config_.platform_dma_ops));
    }
}

dma_ops::dma_ops_if& machine::operations(dma_operations which) {
    switch (which) {
    case dma_operations::direct:
        return *direct_;
    case dma_operations::swiotlb:
        return *swiotlb_;
    case dma_operations::iommu:
        return *iommu_;
    case dma_operations::none:
        break;
    }
    throw std::logic_error("machine: there are no DMA operations called none");
}

/// The order in which a request travels.
void machine::group_signals() {
    for (const auto& cpu : cpus_) {
        recorder_.group(cpu->name(), fmt::format("Guest CPU {}", cpu->number()));
    }
    recorder_.group(module("kernel"), "Guest kernel and drivers");
    recorder_.group(module("swiotlb"), "DMA operations: swiotlb (bounce buffers)");
    recorder_.group(module("iommu"), "DMA operations: iommu (TCEs)");
    recorder_.group(module("direct"), "DMA operations: direct");
    recorder_.group(module("ultravisor"), "Ultravisor (trusted)");
    recorder_.group(module("memory"), "Memory: page states and the host's accesses");
    recorder_.group(module("hypervisor"), "Hypervisor (untrusted)");
    for (const auto& function : functions_) {
        recorder_.group(function->name(), fmt::format("Device {} (untrusted)", function->basename()));
    }
    recorder_.group(module("pci"), "PCI host bridge and IOMMU");
    recorder_.group(module("peer"), "Network peer");
    recorder_.group(module("xics"), "Interrupts");
    recorder_.group(trace::recorder::violation_scope, "Violations");
}

// --- running

void machine::run(const guest::kernel::workload& workload,
                  const std::function<void(const machine&)>& progress) {
    kernel_->run([this, &workload](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        canaries_.plant(kernel, cpu);
        workload(kernel, cpu);
    });
    run_until_the_end(progress);
    elapsed_ = sc_core::sc_time_stamp();
}

void machine::run_until_the_end(const std::function<void(const machine&)>& progress) {
    const sc_time slice(1, sc_core::SC_MS);
    while (sc_core::sc_get_status() != sc_core::SC_STOPPED) {
        if (sc_core::sc_time_stamp() > sc_core::SC_ZERO_TIME && !sc_core::sc_pending_activity()) {
            ending_ = "the guest waits for something that will not come";
            return;
        }
        if (sc_core::sc_time_stamp() >= config_.time_limit) {
            ending_ = "the guest had not finished at the time limit";
            return;
        }
        sc_core::sc_start(std::min(slice, config_.time_limit - sc_core::sc_time_stamp()),
                          sc_core::SC_RUN_TO_TIME);
        if (progress) {
            progress(*this);
        }
    }
    finished_ = kernel_->finished();
    ending_ = finished_ ? "the guest finished" : "the guest was ended";
}

// --- what happened

std::string machine::module(std::string_view name) const { return fmt::format("{}.{}", this->name(), name); }

std::uint64_t machine::counter(std::string_view module, std::string_view name) const {
    const trace::counter* found = recorder_.metrics().find_counter(this->module(module), name);
    return found == nullptr ? 0 : found->value();
}

std::uint64_t machine::total(std::string_view module, std::string_view name) const {
    const trace::tally* found = recorder_.metrics().find_tally(this->module(module), name);
    return found == nullptr ? 0 : found->total();
}

bool machine::guest_secure() const {
    return ultravisor_ != nullptr && ultravisor_->state() == ultravisor::vm_state::secure;
}

std::uint64_t machine::devices_with(guest::dma_ops_choice choice) const {
    const trace::tally* chosen = recorder_.metrics().find_tally(module("kernel.virtio"), "dma_ops");
    return chosen->count(static_cast<std::size_t>(choice));
}

std::uint64_t machine::bytes_bounced() const {
    return counter("swiotlb", "bytes_to_bounce") + counter("swiotlb", "bytes_from_bounce");
}

std::uint64_t machine::device_accesses() const { return total("memory", "device_accesses"); }

std::uint64_t machine::device_accesses_not_shared() const {
    const trace::tally* by_state = recorder_.metrics().find_tally(module("memory"), "device_accesses");
    std::uint64_t allowed = 0;
    for (const memory::page_state state : shared_states) {
        allowed += by_state->count(static_cast<std::size_t>(state));
    }
    return by_state->total() - allowed;
}

std::uint64_t machine::hypercalls(std::initializer_list<abi::hcall> numbers) const {
    std::uint64_t calls = 0;
    for (const auto& cpu : cpus_) {
        const trace::tally* made = recorder_.metrics().find_tally(cpu->name(), "hypercalls");
        for (const abi::hcall number : numbers) {
            calls += made->count(abi::hcall_row(static_cast<std::uint64_t>(number)));
        }
    }
    return calls;
}

std::size_t machine::canaries_seen() const {
    std::set<std::string> seen;
    for (const trace::canary_sighting& sighting : recorder_.ledger().sightings()) {
        seen.insert(sighting.canary);
    }
    return seen.size();
}

std::uint64_t machine::requests_completed() const {
    std::uint64_t completed = 0;
    for (std::size_t disk = 0; disk < disks_.size(); ++disk) {
        completed += total(fmt::format("kernel.virtio_blk{}", disk), "results");
    }
    return completed + counter("kernel.virtio_net0", "frames_sent") +
           counter("kernel.virtio_net0", "frames_received");
}

trace::run_facts machine::facts() const {
    trace::run_facts facts{.elapsed = elapsed_};
    const sc_time working = kernel_->workload_end() - kernel_->workload_begin();
    std::uint64_t bytes = 0;
    for (std::size_t disk = 0; disk < disks_.size(); ++disk) {
        const std::string driver = fmt::format("kernel.virtio_blk{}", disk);
        bytes += counter(driver, "bytes_read") + counter(driver, "bytes_written");
    }
    bytes += counter("kernel.virtio_net0", "bytes_sent") + counter("kernel.virtio_net0", "bytes_received");
    if (finished_ && working > sc_core::SC_ZERO_TIME) {
        facts.figures.push_back(
            {"workload_time", working.to_seconds() * 1e6, "us", "from the workload's start to its end"});
        facts.figures.push_back({"throughput", static_cast<double>(bytes) / working.to_seconds() / 1e6,
                                 "MB/s", "data of completed requests and frames, by the workload's time"});
        facts.figures.push_back({"request_rate",
                                 static_cast<double>(requests_completed()) / working.to_seconds(), "1/s",
                                 "completed requests and frames, by the workload's time"});
    }
    if (bytes_bounced() > 0 && bytes > 0) {
        facts.figures.push_back({"bounce_factor",
                                 static_cast<double>(bytes_bounced()) / static_cast<double>(bytes), "",
                                 "bytes copied to and from bounce buffers for each byte of data"});
    }
    return facts;
}

}  // namespace pefsim::platform
