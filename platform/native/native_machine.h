// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "dma_ops/mapped_dma_ops.h"
#include "guest/kernel.h"
#include "platform/machine.h"
#include "platform/native/canaries.h"
#include "platform/native/native_machine_config.h"
#include "report/run_ending.h"
#include "report/run_report.h"

namespace pefsim::platform {

/// A machine with a native guest: the guest's kernel is C++ and runs on host-compiled CPUs.
///
/// Its parts are reachable, so that a scenario can look at, or play, any side. Modules below it, besides a machine's:
/// cpu0 .., direct, swiotlb, iommu (those that are used), kernel, and what a scenario has added.
class native_machine : public machine {
public:
    /// What a scenario adds to a machine whose own parts are there, but for the bindings of virtio core.
    using additions = std::function<void(native_machine&)>;

    /// \param build what is added, called once
    /// \throws std::invalid_argument for a configuration that cannot be (native_machine_config::check()), or an image
    ///         or a pcap file that cannot be used
    native_machine(const sc_core::sc_module_name& name, const native_machine_config& config,
                   std::uint64_t seed, const additions& build = {});
    ~native_machine() override;

    /// What CPU 0 is to do once the guest's kernel has started; the guest has finished when it returns.
    void load(const guest::kernel::workload& workload);
    /// Loads `workload` and runs it.
    void run(const guest::kernel::workload& workload);
    using machine::run;

    /// Block requests and frames that the guest's drivers have completed so far.
    [[nodiscard]] std::uint64_t requests_completed() const;
    [[nodiscard]] progress how_far() const override;
    [[nodiscard]] report::run_facts facts() const override;
    [[nodiscard]] const native_machine_config& config() const { return config_; }

    // --- its parts
    guest::kernel& kernel() { return *kernel_; }
    cpu::native::native_cpu& cpu(std::size_t number) { return *cpus_.at(number); }
    /// Those of a row, which must be used (native_machine_config::uses()) or be `direct`.
    dma_ops::dma_ops_if& operations(dma_operations which);

    // --- what a scenario adds, within its build(); anywhere else each is a std::logic_error
    /// A module, or any other object, that lives as long as the machine: `T(arguments...)`. A module of a name of its
    /// own is "machine.<name>", and its signals and metrics are in trace and report like those of the machine's own.
    /// DMA operations get the kernel's page allocator and log; whose they are, use_as_arch() and use_as_platform() say.
    template <class T, class... Arguments>
    T& own(Arguments&&... arguments) {
        check_that_it_is_built("own()");
        auto made = std::make_shared<T>(std::forward<Arguments>(arguments)...);
        if constexpr (std::derived_from<T, dma_ops::mapped_dma_ops>) {
            made->pages(kernel_->pages);
            made->log(kernel_->log);
        }
        owned_.push_back(made);
        return *made;
    }
    /// The architecture gives a device these DMA operations, whatever the configuration says.
    void use_as_arch(dma_ops::dma_ops_if& operations);
    /// The platform's override hook installs these, whatever the configuration says; when, it still says.
    void use_as_platform(dma_ops::dma_ops_if& operations);

    // --- what happened in it
    /// Devices whose DMA operations virtio core chose for this reason.
    [[nodiscard]] std::uint64_t devices_with(guest::dma_ops_choice choice) const;
    [[nodiscard]] std::uint64_t bytes_bounced() const;

private:
    /// What the guest's drivers have completed: of block devices and cards.
    struct traffic {
        std::uint64_t bytes = 0;
        std::uint64_t requests = 0;
    };
    [[nodiscard]] traffic completed() const;
    template <class Read>
    [[nodiscard]] traffic completed(Read read) const;
    void build_guest();
    void make_dma_operations();
    void bind_dma_operations();
    void check_that_it_is_built(std::string_view call) const;
    void hand_over_windows();
    void group_guest_signals();
    [[nodiscard]] report::run_ending how_it_ended() const override;
    [[nodiscard]] std::vector<std::string> what_cpus_do() const override;

    native_machine_config config_;
    std::vector<std::unique_ptr<cpu::native::native_cpu>> cpus_;
    std::map<dma_operations, std::unique_ptr<dma_ops::mapped_dma_ops>> dma_ops_;
    std::unique_ptr<guest::kernel> kernel_;
    canaries canaries_;  // its buffers go back to the kernel
    bool being_built_ = false;
    dma_ops::dma_ops_if* arch_dma_ops_ = nullptr;
    dma_ops::dma_ops_if* platform_dma_ops_ = nullptr;  // none: there is no hook
    std::vector<std::shared_ptr<void>> owned_;         // in order; the last one goes first
};

}  // namespace pefsim::platform
