// SPDX-License-Identifier: Apache-2.0
#include "guest/interrupts.h"

#include <fmt/format.h>
#include <stdexcept>

#include "abi/hcall.h"
#include "abi/platform.h"

namespace pefsim::guest {

namespace {

constexpr std::uint64_t all_priorities = 0xff;  // CPPR: nothing is masked
constexpr std::uint64_t ipi_priority = 4;       // Linux's default for its IPI
constexpr std::uint64_t no_ipi = 0xff;          // MFRR of a server without one
constexpr std::uint64_t xisr_mask = 0xff'ffff;

}  // namespace

interrupts::interrupts(trace::recorder& recorder, std::string_view scope, unsigned servers)
    : servers_(servers),
      allocated_(abi::platform::msi_source_count),
      msi_(abi::platform::msi_source_count),
      taken_(recorder.metrics(), scope, "taken", "interrupts", "external interrupts with a handler"),
      spurious_(recorder.metrics(), scope, "spurious", "interrupts",
                "external interrupts without a source (XISR 0)"),
      unhandled_(recorder.metrics(), scope, "unhandled", "interrupts",
                 "external interrupts of a source without handler") {}

void interrupts::set_up(native_cpu& cpu) {
    cpu.on_external_interrupt([this](native_cpu& on) { external_interrupt(on); });
    cpu.hypercall(abi::hcall::h_cppr, {all_priorities});
}

std::optional<std::uint32_t> interrupts::allocate_msi(unsigned server) {
    for (std::size_t n = server % servers_; n < allocated_.size(); n += servers_) {
        if (!allocated_[n]) {
            allocated_[n] = true;
            return abi::platform::first_msi_source + static_cast<std::uint32_t>(n);
        }
    }
    return std::nullopt;
}

interrupts::handler* interrupts::handler_of(std::uint32_t source) {
    if (source == abi::platform::ipi_source) {
        return &ipi_;
    }
    const std::uint32_t n = source - abi::platform::first_msi_source;
    return n < msi_.size() ? &msi_[n] : nullptr;
}

void interrupts::request(std::uint32_t source, handler on_interrupt) {
    handler* const place = handler_of(source);
    if (place == nullptr) {
        throw std::logic_error(fmt::format("interrupts: source {:#x} does not exist", source));
    }
    *place = on_interrupt;
}

void interrupts::send_ipi(native_cpu& from, unsigned server) {
    from.hypercall(abi::hcall::h_ipi, {server, ipi_priority});
}

void interrupts::external_interrupt(native_cpu& cpu) {
    if (cpu.hypercall(abi::hcall::h_xirr) != abi::h_status::h_success) {
        spurious_.add();
        return;
    }
    const std::uint64_t xirr = cpu.state().gpr[4];
    const auto source = static_cast<std::uint32_t>(xirr & xisr_mask);
    if (source == 0) {
        spurious_.add();
        return;
    }
    if (source == abi::platform::ipi_source) {
        cpu.hypercall(abi::hcall::h_ipi, {cpu.number(), no_ipi});
    }
    handler* const on_interrupt = handler_of(source);
    if (on_interrupt != nullptr && *on_interrupt) {
        taken_.add();
        (*on_interrupt)(cpu);
    } else {
        unhandled_.add();
    }
    cpu.hypercall(abi::hcall::h_eoi, {xirr});
}

}  // namespace pefsim::guest
