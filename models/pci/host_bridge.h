// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

#include "abi/address.h"
#include "abi/pci.h"
#include "interrupt/interrupt_source_if.h"
#include "memory/bus_payload.h"
#include "pci/pci_function.h"
#include "pci/tce_iommu.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::pci {

/// The PCI host bridge: one bus, configuration space through ECAM, the window of memory BARs, and for its devices the
/// way to memory through the IOMMU. Addresses are those of abi/platform.h.
///
/// Ports: `mmio` (TLM target, guest physical addresses, from the hypervisor's emulation), `devices` (TLM target, bus
/// addresses, bound by attach()), `memory` (TLM initiator, to the memory bus), `interrupts` (message-signalled and
/// level interrupts, to the interrupt controller).
///
/// MMIO data are little-endian. A configuration access to a slot without a function reads as ones and writes nothing.
/// An address in the memory window that no BAR decodes, or outside both windows, gets TLM_ADDRESS_ERROR_RESPONSE and
/// reads as ones.
///
/// DMA: a 32-bit write to abi::platform::msi_address is an interrupt message. Otherwise the bus address is the guest
/// physical address when the function or the machine bypasses the IOMMU; else it is translated by the window that
/// decodes it, page by page (its window's, at most 64 KiB). Each page is looked up once and is one transaction on the
/// memory bus, and nothing moves unless all translate with the permission it takes. An access that does not translate
/// is a violation and gets TLM_COMMAND_ERROR_RESPONSE. Look-ups cost timing::tce_walk each.
///
/// Signals: `tce_lookup_address`, `tce_lookup_result`, `iommu_fault` (event), `msi_source`.
class host_bridge : public sc_core::sc_module, public interrupt_pin_if {
public:
    struct config {
        std::uint64_t ram_size = std::uint64_t{256} << 20;  ///< bytes; TCEs may name pages below
        bool iommu_bypass = false;                          ///< true (`iommu = off`): for all functions
        timing::timing costs;
    };

    tlm_utils::simple_target_socket<host_bridge> mmio;
    tlm_utils::multi_passthrough_target_socket<host_bridge, 32, tlm::tlm_base_protocol_types, 0,
                                               sc_core::SC_ZERO_OR_MORE_BOUND>
        devices;
    tlm_utils::simple_initiator_socket<host_bridge> memory;
    sc_core::sc_port<interrupt::interrupt_source_if> interrupts;

    host_bridge(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    /// Puts a function into a slot and binds its ports. At elaboration.
    /// \throws std::invalid_argument when the slot does not exist or is taken
    void attach(unsigned devfn, pci_function& function);
    [[nodiscard]] pci_function* function(unsigned devfn) const {
        return devfn < slots_.size() ? slots_[devfn] : nullptr;
    }
    [[nodiscard]] tce_iommu& iommu() { return iommu_; }
    /// Where a bus address of this function leads now, for who looks on: nothing moves, and nothing is counted.
    /// \returns nothing when it is not translated
    [[nodiscard]] std::optional<abi::phys_addr> leads_to(const pci_function& from, abi::dma_addr at) const;

    void interrupt_pin(unsigned devfn, unsigned pin, bool asserted, const sc_core::sc_time& delay) override;

private:
    struct attached {
        pci_function* function;
        const function_windows* windows;
    };
    /// What an access does in one page of memory.
    struct piece {
        abi::phys_addr at;
        std::uint64_t size;
    };

    void mmio_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void config_access(tlm::tlm_generic_payload& payload, std::uint64_t offset);
    bool memory_access(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void device_transport(int initiator, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    unsigned judge_address(int initiator, tlm::tlm_generic_payload& payload);
    void message(const attached& from, tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
    bool translates(const attached& from, const tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void move_pages(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void violated(const attached& from, report::violation_kind kind, const tlm::tlm_generic_payload& payload,
                  const sc_core::sc_time& when, std::string detail);

    trace::recorder& recorder_;
    bool bypass_;
    sc_core::sc_time tce_walk_;
    sc_core::sc_time msi_latency_;
    tce_iommu iommu_;
    std::array<pci_function*, abi::pci::functions_per_bus> slots_{};
    std::vector<attached> functions_;  // in order of the `devices` socket's bindings
    std::array<unsigned, abi::platform::lsi_source_count>
        pins_asserted_{};        // functions that assert each wire
    std::vector<piece> pieces_;  // of the access that is being translated
    memory::bus_payload transaction_;

    trace::signal<abi::dma_addr> lookup_address_;
    trace::signal<abi::phys_addr> lookup_result_;
    trace::event_signal fault_;
    trace::signal<std::uint32_t> msi_source_;
    report::counter lookups_;
    report::counter faults_;
    report::counter bypasses_;
    report::counter messages_;
    report::counter unclaimed_;
};

}  // namespace pefsim::pci
