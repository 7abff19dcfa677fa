// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "backend/block_backend_if.h"
#include "backend/character_stream_if.h"
#include "backend/entropy_source.h"
#include "backend/file_stream.h"
#include "backend/frame_capture.h"
#include "backend/network_peer.h"
#include "hypervisor/hypervisor.h"
#include "interrupt/interrupt_controllers.h"
#include "interrupt/xics.h"
#include "interrupt/xive_controller.h"
#include "memory/memory_bus.h"
#include "pci/host_bridge.h"
#include "pci/pci_function.h"
#include "platform/machine_config.h"
#include "power/registers.h"
#include "report/run_ending.h"
#include "report/run_report.h"
#include "trace/recorder.h"
#include "ultravisor/ultravisor.h"
#include "virtio/virtio_pci_device.h"

namespace pefsim::platform {

/// What every machine has, whatever its CPUs execute: memory, interrupt controller, Ultravisor, host and devices, wired
/// up from a machine_config. What derives from it adds CPUs, cpu0 .., and the guest that they run.
///
/// Modules below it: memory, ultravisor, hypervisor, xics, xive, pci, virtio-blk0 .., virtio-net0, virtio-rng0,
/// virtio-console0, peer or user (those that are used).
class machine : public sc_core::sc_module {
public:
    ~machine() override;

    /// Runs until simulation is stopped, nothing will ever happen again (the guest waits for something that does not
    /// come), or the time limit is reached.
    /// \param watch called now and then
    void run(const std::function<void(const machine&)>& watch = {});

    /// After the run: the files that its parts have written take their places.
    /// \throws output::write_error when one could not be written in full
    void commit_files();

    /// The guest has done all that it had to do.
    [[nodiscard]] bool finished() const { return ending_.good(); }
    /// How the run ended, and what it hung on if that was not well.
    [[nodiscard]] const report::run_ending& ending() const { return ending_; }
    [[nodiscard]] const sc_core::sc_time& elapsed() const { return elapsed_; }
    /// How far the guest has come: so many of what it does.
    struct progress {
        std::uint64_t done = 0;
        std::string_view unit{};            ///< "requests"
        std::optional<std::uint64_t> of{};  ///< in all; nullopt: nobody knows
    };
    [[nodiscard]] virtual progress how_far() const = 0;
    /// What the report says besides the metrics: elapsed time and rates.
    [[nodiscard]] virtual report::run_facts facts() const;
    /// Adds to its part of the JSON report what only machines of this kind know.
    virtual void add_to_report(nlohmann::ordered_json& /*run*/) const {}

    trace::recorder& recorder() { return recorder_; }
    [[nodiscard]] const trace::recorder& recorder() const { return recorder_; }

    // --- its parts
    memory::memory_bus& memory() { return *memory_; }
    [[nodiscard]] const memory::memory_bus& memory() const { return *memory_; }
    hypervisor::hypervisor& host() { return *hypervisor_; }
    [[nodiscard]] const hypervisor::hypervisor& host() const { return *hypervisor_; }
    /// nullptr on a machine without one.
    ultravisor::ultravisor* uv() { return ultravisor_.get(); }
    /// Which of the interrupt controllers the guest uses; firmware chooses.
    interrupt::interrupt_controllers& interrupts() { return *controllers_; }
    pci::host_bridge& host_bridge() { return *host_bridge_; }
    [[nodiscard]] std::size_t disks() const { return disks_.size(); }
    backend::block_backend_if& disk(std::size_t number) { return *disks_.at(number); }
    /// Of a machine with network_kind::peer.
    backend::network_peer& peer() { return dynamic_cast<backend::network_peer&>(*network_); }
    /// What stands behind a port of the virtio-console device.
    backend::character_stream_if& console_stream(std::size_t port) { return *console_streams_.at(port); }

    // --- more of them, at elaboration
    /// Puts a function into the next free slot of the bus; the machine keeps it.
    void plug(std::unique_ptr<pci::pci_function> function);
    /// The same of a virtio device of any type, with the transport that all devices of this machine have.
    /// \param name of its function, the module "machine.<name>"; the device is below it
    template <class Device>
    Device& add_device(const std::string& name, const typename Device::config& parameters) {
        auto function = std::make_unique<virtio::on_pci<Device>>(name.c_str(), recorder_, transport_,
                                                                 parameters);
        Device& device = function->device;
        plug(std::move(function));
        return device;
    }

    // --- what happened in it
    /// The counter `name` of the module "machine.<module>", 0 when there is none.
    [[nodiscard]] std::uint64_t counter(std::string_view module, std::string_view name) const;
    /// The sum of the tally `name` of the module.
    [[nodiscard]] std::uint64_t total(std::string_view module, std::string_view name) const;
    [[nodiscard]] bool guest_secure() const;
    /// Pages that devices asked for, and those of them that were neither shared nor an ordinary guest's.
    [[nodiscard]] std::uint64_t device_accesses() const;
    [[nodiscard]] std::uint64_t device_accesses_not_shared() const;
    /// Hypercalls of the guest with these numbers.
    [[nodiscard]] std::uint64_t hypercalls(std::initializer_list<abi::hcall> numbers) const;
    /// Canaries of which the host saw all or a part, by any channel.
    [[nodiscard]] std::size_t canaries_seen() const;

protected:
    /// \throws std::invalid_argument for a configuration that cannot be (machine_config::check()), or an image or a
    ///         pcap file that cannot be used
    /// \param entry where UV_ESM leads a guest of this kind
    machine(const sc_core::sc_module_name& name, const machine_config& config, std::uint64_t seed,
            ultravisor::esm_entry entry);

    /// Asked before the run and after each millisecond of simulated time: what else ends it now.
    virtual std::optional<report::run_ending> look() { return std::nullopt; }
    /// How a run ended that was not cut short.
    [[nodiscard]] virtual report::run_ending how_it_ended() const = 0;
    /// What each CPU is doing now: of a run that was cut short, or that did not end well.
    [[nodiscard]] virtual std::vector<std::string> what_cpus_do() const = 0;
    /// Why the Ultravisor or the hypervisor ended the guest.
    [[nodiscard]] report::run_ending ended_by_supervisor() const;

    /// Joins the guest's next processor to memory, supervisors and interrupts: in the order of their numbers.
    template <class Cpu>
    void connect(Cpu& cpu) {
        cpu.state()[power::spr::lpidr] = abi::platform::lpid;
        cpu.bus.bind(memory_->initiators);
        cpu.hypervisor(*hypervisor_);
        if (ultravisor_ != nullptr) {
            cpu.ultravisor(*ultravisor_);
        }
        xics_->lines(cpu);
        if (xive_ != nullptr) {
            xive_->lines(cpu);
        }
        hypervisor_->processors(cpu);
    }
    /// Groups of signals, in the order in which a request travels; the guest's come first.
    void group_signals();
    /// The full name of one of its modules.
    [[nodiscard]] std::string module(std::string_view name) const;

private:
    [[nodiscard]] std::optional<report::run_ending> cut_short() const;
    [[nodiscard]] std::vector<std::string> last_console_lines() const;
    void build_host(const machine_config& config, ultravisor::esm_entry entry);
    void add_network(const machine_config& config);
    void build_devices(const machine_config& config);
    void add_console(const machine_config& config);
    void add_disk(const machine_config& config, const disk_config& disk);

    std::uint64_t seed_;
    unsigned cpus_;
    sc_core::sc_time time_limit_;
    virtio::virtio_pci_device::config transport_;  // of every virtio device
    trace::recorder recorder_;
    std::unique_ptr<memory::memory_bus> memory_;
    std::unique_ptr<interrupt::xics> xics_;
    std::unique_ptr<interrupt::xive_controller> xive_;
    std::unique_ptr<interrupt::interrupt_controllers> controllers_;
    std::unique_ptr<hypervisor::hypervisor> hypervisor_;
    std::unique_ptr<ultravisor::ultravisor> ultravisor_;
    std::unique_ptr<pci::host_bridge> host_bridge_;
    std::vector<std::unique_ptr<backend::block_backend_if>> disks_;
    std::unique_ptr<backend::network_end> network_;
    std::unique_ptr<backend::frame_capture> capture_;
    std::unique_ptr<backend::entropy_source> entropy_;
    std::vector<std::unique_ptr<backend::character_stream_if>> console_streams_;
    std::vector<backend::file_stream*> console_files_;  // those of them that are files
    std::vector<std::unique_ptr<pci::pci_function>> functions_;
    report::run_ending ending_;
    sc_core::sc_time elapsed_;
};

}  // namespace pefsim::platform
