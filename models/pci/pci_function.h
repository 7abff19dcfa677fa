// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "abi/address.h"
#include "abi/pci.h"
#include "memory/bus_payload.h"
#include "pci/config_space.h"
#include "pci/msix.h"
#include "report/metrics.h"
#include "report/violations.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::pci {

/// Result of a device's access to memory.
enum class dma_status : std::uint8_t {
    ok,
    bus_error,  ///< refused, or nothing answers there: no byte moved (a TCE window: none from the refused 4 KiB page on)
    iommu_fault,  ///< no translation, or not with this permission: no byte moved
};
constexpr std::string_view to_name(dma_status status) {
    switch (status) {
    case dma_status::ok:
        return "ok";
    case dma_status::bus_error:
        return "bus error";
    case dma_status::iommu_fault:
        return "iommu fault";
    }
    return "?";
}

enum class dma_direction : std::uint8_t { from_memory, to_memory };
constexpr std::string_view to_name(dma_direction direction) {
    return direction == dma_direction::from_memory ? "from memory" : "to memory";
}

/// The wires from a function's interrupt pin to the host bridge.
class interrupt_pin_if : public virtual sc_core::sc_interface {
public:
    /// \param pin 1 .. 4: INTA .. INTD
    virtual void interrupt_pin(unsigned devfn, unsigned pin, bool asserted,
                               const sc_core::sc_time& delay) = 0;
};

/// A PCI function: configuration space, memory BARs, MSI-X, and bus mastering. The base of every device on the host
/// bridge.
///
/// Ports: `dma` to the host bridge (TLM-2.0 initiator; bus addresses, bus_attributes in each payload; the bridge
/// answers TLM_COMMAND_ERROR_RESPONSE for an IOMMU fault), `interrupt_pin`. host_bridge::attach() binds both.
///
/// Configuration space is 4 KiB; accesses of 1, 2 or 4 bytes at natural alignment (others are violations, read as ones
/// and write nothing). BAR sizing, command register, capability list and the MSI-X table and pending bits (in a BAR of
/// their own) are the base's; a device adds capabilities and answers BAR accesses. There are no extended capabilities.
/// PCI Local Bus Specification 3.0, chapter 6; PCI Express Base 3.0, 7.2.2 (ECAM).
///
/// In its slot the function is a root complex integrated endpoint: behind the device's own capabilities stand power
/// management (D0 and D3hot, which keeps everything: No_Soft_Reset) and PCI Express (version 2, no link). In D3hot it
/// answers in configuration space only and neither masters the bus nor interrupts. Initiate Function Level Reset
/// (PCI Express Base 3.0, 6.6.2) makes configuration space, MSI-X and device what they were before the guest came; it
/// takes no time.
///
/// Time: a DMA access costs timing::pci_latency and its bytes at timing::pci_bandwidth. It must not be made while
/// another one of the same function is under way.
///
/// Signals: `dma_result`, `request` of the last access (the memory bus shows its address, bytes and direction, and the
/// host bridge what a bus address was translated to); `msix_vector` with the event `msix_message`;
/// `interrupt_pin_level`.
class pci_function : public sc_core::sc_module {
public:
    struct config {
        std::uint16_t vendor_id = 0;
        std::uint16_t device_id = 0;
        std::uint8_t revision = 0;
        std::uint32_t class_code = 0;  ///< 24 bits
        std::uint16_t subsystem_vendor_id = 0;
        std::uint16_t subsystem_id = 0;
        std::uint64_t bar_size =
            0x4000;  ///< of BAR 0 (64-bit memory), a power of two; BAR 4 holds the MSI-X structures
        unsigned msix_vectors = 2;       ///< 0 .. 2048; 0: no MSI-X capability and no BAR 4
        std::uint8_t interrupt_pin = 1;  ///< 0: none, 1: INTA
        timing::timing costs;
    };
    static constexpr unsigned msix_bar = 4;

    tlm_utils::simple_initiator_socket<pci_function> dma;
    sc_core::sc_port<interrupt_pin_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> interrupt_pin;

    /// \throws std::invalid_argument for a BAR size that is no power of two of at least 16, or too many vectors
    pci_function(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    // --- called by the host bridge
    std::uint32_t config_read(unsigned offset, unsigned size);
    void config_write(unsigned offset, unsigned size, std::uint32_t value);
    /// MMIO: \returns false when no enabled BAR of this function decodes `at`.
    bool memory_read(std::uint64_t at, unsigned size, std::uint64_t& value, sc_core::sc_time& delay);
    bool memory_write(std::uint64_t at, unsigned size, std::uint64_t value, sc_core::sc_time& delay);
    /// For firmware: vectors in the MSI-X table, and what one of them sends.
    [[nodiscard]] unsigned msix_size() const { return msix_ ? msix_->size() : 0; }
    void set_message(unsigned vector, const msi_message& message) { msix_->set_message(vector, message); }
    /// At elaboration, when it is put into a slot and has all of its own capabilities.
    void assign(unsigned devfn);
    [[nodiscard]] unsigned devfn() const { return devfn_; }

    // --- for the device: bus mastering. Each access is a transaction through the bridge's IOMMU and the SMF check; its
    // cost is added to `delay`. Without the command register's bus-master bit nothing is issued (bus_error).
    dma_status dma_read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
                        sc_core::sc_time& delay);
    dma_status dma_write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
                         sc_core::sc_time& delay);
    /// A driver has named this memory to the device, which may use it or not: the memory bus judges whether the host
    /// can read it (memory_bus.h), no byte moves. Of a long buffer, its first MiB.
    /// \param request 0: of no request, a queue \param queue of the device's \param writable it is to write there
    void judge_address(abi::dma_addr at, std::uint64_t size, std::uint64_t request, std::uint16_t queue = 0,
                       bool writable = false);
    /// True: bus addresses are guest physical addresses and the IOMMU is not consulted (virtio without
    /// ACCESS_PLATFORM).
    void set_iommu_bypass(bool bypass) { iommu_bypass_ = bypass; }
    [[nodiscard]] bool iommu_bypass() const { return iommu_bypass_; }
    /// Raises an MSI-X vector: the table entry's message write, or its pending bit when it or the function is masked.
    /// No effect while MSI-X is disabled; a vector beyond the table is a violation.
    void raise_msix(unsigned vector, sc_core::sc_time& delay);
    [[nodiscard]] bool msix_enabled() const { return msix_ && msix_->enabled(); }
    /// Interrupt status, and with it the interrupt pin: asserted unless the guest disabled it or enabled MSI-X.
    void set_interrupt(bool asserted, const sc_core::sc_time& delay);

    /// The function's number in the exposure ledger's names of initiators.
    [[nodiscard]] std::uint16_t initiator() const { return payload_.attributes.writer.initiator; }

protected:
    /// BAR 0 accesses; 1, 2, 4 or 8 bytes within the BAR, little-endian values. Offsets that mean nothing read as zero.
    virtual std::uint64_t bar_read(std::uint64_t offset, unsigned size, sc_core::sc_time& delay) = 0;
    virtual void bar_write(std::uint64_t offset, unsigned size, std::uint64_t value,
                           sc_core::sc_time& delay) = 0;
    /// A function level reset: the device forgets what a driver told it, as after power-on, and lets go of memory. The
    /// interrupt status is cleared by the function.
    virtual void reset_function() {}
    /// Appends a capability with this id and body (after id and next pointer) to the list; \returns its offset.
    /// \throws std::logic_error when configuration space is full
    unsigned add_capability(std::uint8_t id, std::span<const std::byte> body);
    /// Lets a capability's bytes be written by the guest and be answered by the device (VIRTIO_PCI_CAP_PCI_CFG). Called
    /// for capabilities that the device added; `offset` is in configuration space, `stored` what stands there.
    virtual std::uint32_t capability_read(unsigned offset, unsigned size, std::uint32_t stored);
    /// By default nothing: capabilities are read-only.
    virtual void capability_write(unsigned offset, unsigned size, std::uint32_t value);
    /// What stands in a capability; what the device lets a guest's write put there.
    [[nodiscard]] std::uint32_t load_capability(unsigned offset, unsigned size) const {
        return space_.load(offset, size);
    }
    void store_capability(unsigned offset, unsigned size, std::uint32_t value) {
        space_.set(offset, size, value);
    }

    trace::recorder& recorder_;

private:
    struct bar {
        std::uint64_t base = 0;
        std::uint64_t size = 0;  ///< 0: not there
        [[nodiscard]] bool decodes(std::uint64_t at) const { return at - base < size; }
    };

    void build_header(const config& parameters);
    void add_msix();
    void add_power_management();
    void add_express();
    [[nodiscard]] bool is_devices(const config_space::capability* which) const {
        return which != nullptr && which->offset != msix_capability_ && which->offset != power_capability_ &&
               which->offset != express_capability_;
    }
    void write_registers(unsigned offset, unsigned size, std::uint32_t value);
    [[nodiscard]] bool asks_for_reset(unsigned offset, unsigned size, std::uint32_t value) const;
    void function_level_reset();
    void decode();
    [[nodiscard]] bool valid_config_access(const char* verb, unsigned offset, unsigned size);
    [[nodiscard]] bool valid_bar_access(const char* verb, const bar& in, std::uint64_t at, unsigned size,
                                        bool valid);
    [[nodiscard]] sc_core::sc_time transfer_time(std::size_t size) const;
    tlm::tlm_response_status transfer(tlm::tlm_command command, abi::dma_addr at, std::byte* data,
                                      std::size_t size, sc_core::sc_time& delay);
    dma_status access(dma_direction direction, abi::dma_addr at, std::byte* data, std::size_t size,
                      std::uint64_t request, sc_core::sc_time& delay);
    void send(const msi_message& message, sc_core::sc_time& delay);
    void send_unmasked(sc_core::sc_time& delay);
    void drive_pin(const sc_core::sc_time& delay);
    void violated(report::violation_kind kind, std::uint64_t at, std::uint64_t size, std::string detail);

    config_space space_;
    std::unique_ptr<msix_vectors> msix_;  // none without MSI-X
    // Offsets of the capabilities.
    unsigned msix_capability_ = 0;  // 0: none
    unsigned power_capability_ = 0;
    unsigned express_capability_ = 0;
    bar device_bar_;
    bar msix_bar_;
    // What command register and power state say, decoded.
    bool powered_ = true;  // D0
    bool memory_enabled_ = false;
    bool bus_master_ = false;

    unsigned devfn_ = 0;
    std::uint8_t pin_;
    bool interrupt_ = false;
    bool pin_level_ = false;
    bool iommu_bypass_ = false;

    memory::bus_payload payload_;
    sc_core::sc_time latency_;
    double ticks_per_byte_;
    std::array<sc_core::sc_time, 65>
        small_transfers_;  // by bytes: a ring's parts, a request's header and status

    trace::signal<dma_status> dma_result_;
    trace::signal<std::uint64_t> request_;
    trace::signal<std::uint32_t> msix_vector_;
    trace::event_signal msix_message_;
    trace::signal<bool> pin_signal_;
    report::counter reads_;
    report::counter writes_;
    report::counter bytes_read_;
    report::counter bytes_written_;
    report::counter errors_;
    report::counter messages_;
};

}  // namespace pefsim::pci
