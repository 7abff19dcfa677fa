// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/buffer.h"
#include "guest/console.h"
#include "guest/inet_stack.h"
#include "guest/interrupts.h"
#include "guest/page_allocator.h"
#include "guest/pci_bus.h"
#include "guest/scheduler.h"
#include "guest/slab_allocator.h"
#include "guest/virtio_blk_driver.h"
#include "guest/virtio_core.h"
#include "guest/virtio_driver.h"
#include "guest/virtio_net_driver.h"
#include "guest/virtio_rng_driver.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::guest {

/// How far the guest has come.
enum class kernel_state : std::uint8_t {
    off,
    booting,
    entering_secure_mode,
    probing,
    running,
    finished,
    panicked,
    terminated
};
constexpr std::string_view to_name(kernel_state state) {
    switch (state) {
    case kernel_state::off:
        return "off";
    case kernel_state::booting:
        return "booting";
    case kernel_state::entering_secure_mode:
        return "entering secure mode";
    case kernel_state::probing:
        return "probing";
    case kernel_state::running:
        return "running";
    case kernel_state::finished:
        return "finished";
    case kernel_state::panicked:
        return "panicked";
    case kernel_state::terminated:
        return "terminated";
    }
    return "?";
}

/// The guest cannot go on (out of memory, no such device ...). Whoever throws it on a CPU of the guest ends the guest,
/// not the simulator: state panicked, the message on the console and in kernel::failure().
struct kernel_panic : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The panic of a guest that has no memory left.
struct out_of_memory : kernel_panic {
    explicit out_of_memory(std::size_t bytes);
};

/// The kernel of a native guest: boots on CPU 0, becomes secure when it is told to, finds its devices, and runs a
/// workload.
///
/// Boot: kernel image and device tree into memory; UV_ESM(kbase, fdt); DMA operations set up (SWIOTLB's pool); the
/// other CPUs started, secure as CPU 0 is; PCI enumeration and virtio devices in bus order; the workload on CPU 0 while
/// the others wait for work (run_on). When the workload returns the CPUs stop and so does the simulation. A UV_ESM that
/// fails is a panic, as Linux asks for ibm,os-term.
///
/// Exports: `pages` and `log`, for the modules of DMA operations. Sub-module `virtio` has the ports to these modules.
/// The CPUs' own ports are not the kernel's business.
///
/// A workload's mistakes: an exception that leaves it, on any CPU, is a panic and stands in mistake(); a write or fill
/// that begins in a buffer and goes on behind its end is a note in the violation log (past_buffer).
///
/// Signals: state; drivers and rings have theirs in scopes virtio_blk0, virtio_net0, virtio_rng0 ... below the
/// kernel's.
///
/// A minimal guest program:
///
///     kernel.run([](guest::kernel& kernel, guest::native_cpu& cpu) {
///         const guest::buffer block = kernel.alloc(4096);
///         kernel.block(0).read(cpu, 0, block.at(), 4096);
///     });
class kernel : public sc_core::sc_module {
public:
    struct config {
        std::uint64_t ram_size = std::uint64_t{256} << 20;  ///< bytes, a multiple of 64 KiB
        bool secure = false;  ///< make the virtual machine secure at boot (svm=on)
        /// Drivers that wait for a device; a device without one is left alone.
        unsigned block_devices = 1;
        unsigned net_devices = 0;
        unsigned entropy_devices = 0;
        virtio_core::config virtio{};
        virtio_blk_driver::config block{};
        virtio_net_driver::config net{};
        inet_stack::config inet{};
        std::string command_line{};
        bool stop_when_finished =
            true;  ///< sc_stop() when the guest has finished, panicked or been terminated
        timing::timing costs = {};
    };
    using workload = std::function<void(kernel&, native_cpu&)>;

    sc_core::sc_export<dma_ops::page_allocator_if> pages;
    sc_core::sc_export<dma_ops::kernel_log_if> log;
    virtio_core virtio;

    /// \param cpus in order of their interrupt server numbers, from 0; none may have a program
    /// \throws std::invalid_argument when there is not memory enough for the kernel itself, or a driver's parameter is
    /// wrong
    kernel(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters,
           std::vector<native_cpu*> cpus);

    /// What the guest does once it has booted. At elaboration; without one it boots and finishes.
    void run(workload code) { workload_ = std::move(code); }
    /// A driver that this kernel does not have of itself, `Driver(environment, scope, name, arguments...)`: the next
    /// device of its type that is found is the driver's, and keeps its name. At elaboration.
    /// \param name "virtio-checksum0"
    template <class Driver, class... Arguments>
    Driver& add_driver(std::string_view name, Arguments&&... arguments) {
        auto made = std::make_unique<Driver>(environment_, scope_of_driver(name), name,
                                             std::forward<Arguments>(arguments)...);
        Driver& driver = *made;
        added_.push_back(std::move(made));
        drivers_.push_back({&driver});
        return driver;
    }

    // --- for the outside
    [[nodiscard]] kernel_state state() const { return state_.value(); }
    [[nodiscard]] bool finished() const { return state() == kernel_state::finished; }
    /// Why the guest panicked or was terminated; empty otherwise.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    /// The panic is that of an exception that is no panic of the guest: its workload's own code is wrong. Empty
    /// otherwise.
    [[nodiscard]] const std::string& mistake() const { return mistake_; }
    /// The panic was for want of memory.
    [[nodiscard]] bool out_of_memory() const { return out_of_memory_; }
    /// How far the kernel is, and what this CPU of it runs or waits for; for people.
    [[nodiscard]] std::string what_it_does(const native_cpu& cpu) const;
    [[nodiscard]] const std::vector<std::string>& messages() const { return console_.messages(); }
    /// When the workload began and ended (zero before).
    [[nodiscard]] const sc_core::sc_time& workload_begin() const { return workload_begin_; }
    [[nodiscard]] const sc_core::sc_time& workload_end() const { return workload_end_; }

    /// The workload's own time begins here: what it has done so far was preparation.
    void begin_workload(const native_cpu& cpu);
    /// The workload is going to make so many requests, besides those that it has told of already: who watches the run
    /// can tell how far it is.
    void expect_requests(std::uint64_t requests) { requests_expected_ += requests; }
    /// In all; 0: nobody has told.
    [[nodiscard]] std::uint64_t requests_expected() const { return requests_expected_; }

    // --- for workloads, on a CPU of the guest. A device that is not there is a kernel_panic.
    virtio_blk_driver& block(unsigned index);
    inet_stack& net(unsigned index);
    virtio_rng_driver& entropy(unsigned index);
    [[nodiscard]] unsigned block_devices() const;
    /// \param bytes contiguous guest memory, not cleared; kernel_panic when there is none left
    buffer alloc(std::size_t bytes);
    void printk(native_cpu& cpu, std::string_view message) { console_.printk(cpu, message); }

    [[nodiscard]] std::size_t cpus() const { return scheduler_.cpus(); }
    /// Work for another CPU; join() waits until all of it is done.
    void run_on(native_cpu& from, unsigned target, scheduler::task work) {
        scheduler_.run_on(from, target, std::move(work));
    }
    void join(native_cpu& cpu) { scheduler_.join(cpu); }
    /// The same work on every CPU at once; returns when all have done it.
    void on_every_cpu(native_cpu& cpu, const scheduler::task& work);
    void sleep(native_cpu& cpu, const sc_core::sc_time& duration) { scheduler_.sleep(cpu, duration); }

    // --- the kernel's parts
    scheduler& cpu_scheduler() { return scheduler_; }
    page_allocator& page_memory() { return page_allocator_; }
    slab_allocator& memory() { return slab_; }
    pci_bus& pci() { return pci_; }

private:
    static constexpr phys_addr kernel_base{0x40'0000};  ///< kbase: where firmware loads a kernel
    static constexpr phys_addr device_tree_base{kernel_base.value() + abi::page_size};

    void boot(native_cpu& cpu);
    void boot_secondary(native_cpu& cpu);
    void load_image(native_cpu& cpu);
    void enter_secure_mode(native_cpu& cpu);
    void start_secondaries(native_cpu& cpu);
    void probe_devices(native_cpu& cpu);
    /// A driver, and whether a device has been found for it.
    struct driver_place {
        virtio_driver* driver;
        bool taken = false;
    };
    void probe(native_cpu& cpu, const pci_device& pci);
    [[nodiscard]] std::string scope_of_driver(std::string_view name) const;
    [[nodiscard]] bool has_device(const virtio_driver& driver) const;
    void run_workload(native_cpu& cpu);
    void guarded(native_cpu& cpu, void (kernel::*program)(native_cpu&));
    void check_block_write(const native_cpu& cpu, phys_addr at, std::size_t size);
    void panic(native_cpu& cpu, std::string_view why);
    [[noreturn]] void terminated(native_cpu& cpu);
    void end(native_cpu& cpu, kernel_state how);

    trace::recorder& recorder_;
    config parameters_;
    std::vector<native_cpu*> cpus_;
    page_allocator page_allocator_;
    slab_allocator slab_;
    console console_;
    interrupts interrupts_;
    scheduler scheduler_;
    pci_bus pci_;
    driver_environment environment_;
    std::vector<std::unique_ptr<virtio_blk_driver>> blocks_;
    std::vector<std::unique_ptr<virtio_net_driver>> cards_;
    std::vector<std::unique_ptr<inet_stack>> stacks_;  // by card
    std::vector<std::unique_ptr<virtio_rng_driver>> entropies_;
    std::vector<std::unique_ptr<virtio_driver>> added_;  // those that the kernel did not have
    std::vector<driver_place> drivers_;                  // all of them
    workload workload_;
    std::string failure_;
    std::string mistake_;
    bool out_of_memory_ = false;
    sc_core::sc_time workload_begin_;
    sc_core::sc_time workload_end_;
    std::uint64_t requests_expected_ = 0;
    trace::signal<kernel_state> state_;
};

}  // namespace pefsim::guest
