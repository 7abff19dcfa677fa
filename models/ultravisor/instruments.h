// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "abi/address.h"
#include "cpu/traps.h"
#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"
#include "ultravisor/secure_vm.h"

namespace pefsim::ultravisor {

/// What became of the check of a guest's image at UV_ESM.
enum class esm_image : std::uint8_t {
    unverified,  ///< there is no ESM blob, and the machine has no key for one
    verified,
    refused,
    warned,  ///< not what it should be; UV_ESM went on
};

/// What a trace and the run report show of the Ultravisor.
struct instruments {
    instruments(trace::recorder& recorder, std::string_view scope);

    /// Value of `ultracall`, `hypercall` and `interrupt` while there is none.
    static constexpr std::string_view no_call = "-";

    trace::signal<vm_state> state;
    trace::signal<std::string_view> ultracall;
    trace::signal<std::string_view> hypercall;
    trace::signal<std::string_view> interrupt;
    trace::signal<abi::phys_addr> page;
    trace::signal<std::uint64_t> crypt_operations;

    report::tally ultracalls;
    report::tally hypercalls;
    report::tally rtas_relayed;
    report::tally interrupts;
    report::counter mmio_reflected;
    report::counter pages_moved_in;
    report::counter pages_encrypted;
    report::counter pages_decrypted;
    report::counter pages_zeroed;
    report::counter tamper_refusals;
    report::counter page_faults;
    report::tally esm_images;
};

/// Shows a call's name for as long as it lives; calls nest.
class shown_call {
public:
    shown_call(trace::signal<std::string_view>& where, std::string_view name,
               const cpu::trap_context& context)
        : where_(where),
          before_(where.value()),
          context_(context) {
        where_.set(name, context_.now());
    }
    ~shown_call() { where_.set(before_, context_.now()); }
    shown_call(const shown_call&) = delete;
    shown_call& operator=(const shown_call&) = delete;

private:
    trace::signal<std::string_view>& where_;
    std::string_view before_;
    const cpu::trap_context& context_;
};

}  // namespace pefsim::ultravisor
