// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/hcall.h"
#include "backend/block_backend_if.h"
#include "backend/entropy_source.h"
#include "backend/network_peer.h"
#include "cpu/native/native_cpu.h"
#include "dma_ops/direct_dma_ops.h"
#include "dma_ops/iommu_dma_ops.h"
#include "dma_ops/swiotlb_dma_ops.h"
#include "guest/kernel.h"
#include "hypervisor/hypervisor.h"
#include "interrupt/xics.h"
#include "memory/memory_bus.h"
#include "pci/host_bridge.h"
#include "pci/pci_function.h"
#include "platform/canaries.h"
#include "platform/machine_config.h"
#include "trace/recorder.h"
#include "trace/run_report.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::platform {

/// One machine: guest, Ultravisor, host and devices, wired up from a machine_config.
///
/// Its parts are reachable, so that a scenario can look at, or play, any side. Modules below it: cpu0 .., memory,
/// ultravisor, hypervisor, xics, pci, virtio-blk0 .., virtio-net0, virtio-rng0, peer, direct, swiotlb, iommu (those that are
/// used), kernel.
class machine : public sc_core::sc_module {
public:
    /// \throws std::invalid_argument for a configuration that cannot be (machine_config::check()), or an image or a pcap
    ///         file that cannot be used
    machine(const sc_core::sc_module_name& name, const machine_config& config, std::uint64_t seed);
    ~machine() override;

    /// Runs `workload` on CPU 0 once the guest's kernel has started; returns when it has ended, when the guest was ended,
    /// when nothing will ever happen again (the guest waits for something that does not come), or at the time limit.
    /// \param progress called now and then
    void run(const guest::kernel::workload& workload,
             const std::function<void(const machine&)>& progress = {});

    /// The workload has returned.
    [[nodiscard]] bool finished() const { return finished_; }
    /// Why it has not, in a few words: "the guest was ended", "the guest waits for something that does not come" ...
    [[nodiscard]] std::string_view ending() const { return ending_; }
    [[nodiscard]] const sc_core::sc_time& elapsed() const { return elapsed_; }
    /// Block requests and frames that the guest's drivers have completed so far.
    [[nodiscard]] std::uint64_t requests_completed() const;
    /// What the report says besides the metrics: elapsed time and rates.
    [[nodiscard]] trace::run_facts facts() const;

    [[nodiscard]] const machine_config& config() const { return config_; }
    trace::recorder& recorder() { return recorder_; }
    [[nodiscard]] const trace::recorder& recorder() const { return recorder_; }

    // --- its parts
    guest::kernel& kernel() { return *kernel_; }
    cpu::native::native_cpu& cpu(std::size_t number) { return *cpus_.at(number); }
    memory::memory_bus& memory() { return *memory_; }
    hypervisor::hypervisor& host() { return *hypervisor_; }
    /// nullptr on a machine without one.
    ultravisor::ultravisor* firmware() { return ultravisor_.get(); }
    pci::host_bridge& host_bridge() { return *host_bridge_; }
    backend::block_backend_if& disk(std::size_t number) { return *disks_.at(number); }
    backend::network_peer& peer() { return *peer_; }
    dma_ops::dma_ops_if& operations(dma_operations which);

    // --- what happened in it
    /// The counter `name` of the module "machine.<module>", 0 when there is none.
    [[nodiscard]] std::uint64_t counter(std::string_view module, std::string_view name) const;
    /// The sum of the tally `name` of the module.
    [[nodiscard]] std::uint64_t total(std::string_view module, std::string_view name) const;
    [[nodiscard]] bool guest_secure() const;
    /// Devices whose DMA operations virtio core chose for this reason.
    [[nodiscard]] std::uint64_t devices_with(guest::dma_ops_choice choice) const;
    [[nodiscard]] std::uint64_t bytes_bounced() const;
    /// Pages that devices asked for, and those of them that were neither shared nor an ordinary guest's.
    [[nodiscard]] std::uint64_t device_accesses() const;
    [[nodiscard]] std::uint64_t device_accesses_not_shared() const;
    /// Hypercalls of the guest with these numbers.
    [[nodiscard]] std::uint64_t hypercalls(std::initializer_list<abi::hcall> numbers) const;
    /// Canaries of which the host saw all or a part, by any channel.
    [[nodiscard]] std::size_t canaries_seen() const;

private:
    void build_host();
    void build_devices();
    void build_guest();
    void bind_dma_operations();
    void add_disk(const disk_config& disk);
    template <class Device>
    Device& add_device(const std::string& name, const typename Device::config& parameters);
    void group_signals();
    void run_until_the_end(const std::function<void(const machine&)>& progress);
    [[nodiscard]] std::string module(std::string_view name) const;

    machine_config config_;
    std::uint64_t seed_;
    trace::recorder recorder_;
    std::unique_ptr<memory::memory_bus> memory_;
    std::unique_ptr<interrupt::xics> xics_;
    std::unique_ptr<hypervisor::hypervisor> hypervisor_;
    std::unique_ptr<ultravisor::ultravisor> ultravisor_;
    std::unique_ptr<pci::host_bridge> host_bridge_;
    std::vector<std::unique_ptr<backend::block_backend_if>> disks_;
    std::unique_ptr<backend::network_peer> peer_;
    std::unique_ptr<backend::entropy_source> entropy_;
    std::vector<std::unique_ptr<pci::pci_function>> functions_;
    std::vector<std::unique_ptr<cpu::native::native_cpu>> cpus_;
    std::unique_ptr<dma_ops::direct_dma_ops> direct_;
    std::unique_ptr<dma_ops::swiotlb_dma_ops> swiotlb_;
    std::unique_ptr<dma_ops::iommu_dma_ops> iommu_;
    std::unique_ptr<guest::kernel> kernel_;
    canaries canaries_;
    bool finished_ = false;
    std::string_view ending_ = "not started";
    sc_core::sc_time elapsed_;
};

}  // namespace pefsim::platform
