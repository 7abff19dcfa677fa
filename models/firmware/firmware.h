// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/rtas.h"
#include "device_tree/tree.h"
#include "firmware/claims.h"
#include "firmware/client_service.h"
#include "firmware/machine_description.h"
#include "firmware/message_interrupts.h"
#include "firmware/nvram.h"
#include "firmware/real_time_clock.h"
#include "firmware/rtas_service.h"
#include "hypervisor/firmware_if.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::firmware {

/// The machine's firmware: what an operating system finds when it starts (device tree, client interface), and what it
/// calls as long as it runs (RTAS). All of it is the host's; in the guest stand a few instructions that make a
/// hypercall.
///
/// Implements hypervisor::firmware_if. RTAS calls are those of abi/rtas.h, a file for each section of PAPR's chapter 7;
/// another token, or too few arguments or results, is a parameter error (-3). The client interface is IEEE 1275's
/// without a user interface, over the tree of machine_tree.h; a service that does not exist, too few of its arguments
/// or results, or an argument block that is not in memory, gives -1.
///
/// The time of day is config::date and simulated time since.
///
/// Signals: `rtas` (by name), `client_service`. Metrics: rtas_calls by name, rtas_calls_refused, client_calls by name.
class firmware : public sc_core::sc_module, public hypervisor::firmware_if {
public:
    struct config {
        machine_description machine;
        /// What the machine's operator says that the date is when simulation begins.
        real_time_clock::instant date{};
    };

    /// After elaboration of the host bridge's functions: gives their BARs addresses, and describes them.
    /// \throws std::invalid_argument when kernel, initrd and firmware do not all fit into RAM
    firmware(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    abi::h_status rtas(hypervisor::host& here, const hypervisor::call& of, abi::phys_addr arguments) override;
    abi::h_status client_interface(hypervisor::host& here, const hypervisor::call& of,
                                   abi::phys_addr arguments) override;

    /// For a guest that starts with a flat tree: RTAS is there, and architecture chosen, XIVE where there is one:
    /// such a guest cannot be asked. (QEMU's ic-mode=xive begins in it, too.) \returns the tree
    struct flat_tree {
        std::uint64_t rtas_at;
        std::uint64_t at;
        std::vector<std::byte> content;
    };
    flat_tree flatten(interrupt::interrupt_controllers& interrupts);

    [[nodiscard]] device_tree::tree& tree() { return tree_; }

private:
    /// The argument block of a call: name, then so many arguments and results.
    struct block {
        std::uint32_t name;
        std::vector<std::uint32_t> arguments;
        std::vector<std::uint32_t> results;
    };
    static std::optional<block> read_block(hypervisor::host& here, const hypervisor::call& of,
                                           abi::phys_addr at);
    static bool write_results(hypervisor::host& here, const hypervisor::call& of, abi::phys_addr at,
                              const block& from);
    abi::rtas_status serve(hypervisor::host& here, const hypervisor::call& of, block& call);

    config parameters_;
    device_tree::tree tree_;
    claims memory_;
    client_state client_;
    message_interrupts messages_;
    nvram store_;
    real_time_clock clock_;

    trace::signal<std::string_view> rtas_;
    trace::signal<std::string_view> client_service_;
    report::tally rtas_calls_;
    report::counter refused_;
    report::tally client_calls_;
};

}  // namespace pefsim::firmware
