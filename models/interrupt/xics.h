// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <systemc>
#include <vector>

#include "cpu/traps.h"
#include "interrupt/held_back.h"
#include "interrupt/interrupt_source_if.h"
#include "interrupt/interrupt_sources.h"
#include "interrupt/presented_counts.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::interrupt {

/// Routing of a source: the interrupt server (CPU) and the priority, 0 the most favoured, 0xff masked.
struct source_routing {
    std::uint32_t server = 0;
    std::uint8_t priority = masked_priority;
    friend bool operator==(const source_routing&, const source_routing&) = default;
};

/// The PowerPC External Interrupt Architecture as the hypervisor offers it (XICS): interrupt presentation for each
/// server, and the sources of the host bridge. PAPR 2.8, chapter 6; calls of 14.5.5.
///
/// Ports: `lines`, one per server in order of their numbers: the CPUs' external interrupt lines.
///
/// A server holds at most one interrupt (XISR) and presents it while its priority is more favoured than CPPR. A more
/// favoured one displaces it; what is displaced, or finds the server busy, is rejected and presented again when the
/// server can take it: with its end of interrupt or a less favoured CPPR. MFRR is the priority of the server's own
/// inter-processor interrupt (source 2), which stays wanted until MFRR is set back to 0xff. CPPR starts at 0: nothing
/// is presented before the guest sets it.
///
/// Calls carry the caller's local time: `when` is absolute, `delay` relative to simulation time. Interrupts raised at a
/// later local time are held back until then. A server number that does not exist is an error of the caller
/// (std::logic_error), except where bool or nothing says that the guest gave it.
class xics : public sc_core::sc_module, public interrupt_source_if {
public:
    struct config {
        unsigned servers = 1;
    };

    SC_HAS_PROCESS(xics);

    sc_core::sc_port<cpu::interrupt_line_if, 0> lines;

    /// \throws std::invalid_argument without a server
    xics(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);
    ~xics() override;

    [[nodiscard]] unsigned servers() const { return static_cast<unsigned>(presentations_.size()); }

    // --- presentation, by hypercall
    /// H_XIRR: takes the presented interrupt. \returns CPPR before (bits 31:24) and source (23:0; 0: none was there)
    std::uint32_t xirr(unsigned server, const sc_core::sc_time& when);
    /// H_EOI: end of the interrupt in bits 23:0, CPPR from bits 31:24. \returns false when it is no source
    bool eoi(unsigned server, std::uint32_t xirr, const sc_core::sc_time& when);
    /// H_CPPR
    void cppr(unsigned server, std::uint8_t priority, const sc_core::sc_time& when);
    /// H_IPI: sets the MFRR of `server`. \returns false when there is no such server
    bool ipi(std::uint64_t server, std::uint8_t mfrr, const sc_core::sc_time& when);

    /// As at the begin: nothing is presented, sources are as firmware leaves them, levels not asserted.
    void reset(const sc_core::sc_time& when);

    // --- sources, by RTAS: ibm,set-xive, ibm,get-xive, ibm,int-off, ibm,int-on
    /// \returns false when there is no such source or server; nothing changes then
    bool set_xive(std::uint32_t source, source_routing routing, const sc_core::sc_time& when);
    [[nodiscard]] std::optional<source_routing> get_xive(std::uint32_t source) const;
    bool int_off(std::uint32_t source, const sc_core::sc_time& when);
    bool int_on(std::uint32_t source, const sc_core::sc_time& when);

    // --- sources, by the host bridge
    bool raise(std::uint32_t source, const sc_core::sc_time& delay) override;
    bool set_level(std::uint32_t source, bool asserted, const sc_core::sc_time& delay) override;

    /// Times that this source reached a server; 0 for a number that is no source.
    [[nodiscard]] std::uint64_t presented(std::uint32_t source) const;
    /// State of the server's external interrupt line.
    [[nodiscard]] bool line(unsigned server) const;

private:
    void end_of_elaboration() override;

    struct presentation;
    /// What happens at a moment that simulation time has not reached yet.
    struct scheduled {
        enum class act : std::uint8_t { message, level_on, level_off, mfrr };
        act what;
        std::uint8_t priority;
        std::uint32_t number;  // source, or server for mfrr
    };

    presentation& at(unsigned server);
    void schedule(const sc_core::sc_time& at, const scheduled& what);
    void perform(const scheduled& what, const sc_core::sc_time& when);
    auto performer() {
        return [this](const scheduled& what, const sc_core::sc_time& when) { perform(what, when); };
    }
    void perform_until(const sc_core::sc_time& when);
    void perform_due();

    void present(std::uint32_t number, std::uint32_t server, std::uint8_t priority,
                 const sc_core::sc_time& when);
    void withdraw(presentation& from, const sc_core::sc_time& when);
    void reject(std::uint32_t number);
    void present_source(std::uint32_t number, const sc_core::sc_time& when);
    void present_ipi(unsigned server, const sc_core::sc_time& when);
    void present_again(unsigned server, const sc_core::sc_time& when);
    void set_cppr(unsigned server, std::uint8_t priority, const sc_core::sc_time& when);
    void set_priority(std::uint32_t number, std::uint8_t priority, const sc_core::sc_time& when);
    void set_line(presentation& of, bool asserted, const sc_core::sc_time& when);

    std::vector<std::unique_ptr<presentation>> presentations_;
    interrupt_sources sources_;
    held_back<scheduled> later_;

    report::journey_log& journeys_;
    presented_counts presented_;
    report::counter rejected_;
    report::counter spurious_;
    std::uint64_t presented_ipis_ = 0;
};

}  // namespace pefsim::interrupt
