// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/instruments.h"

#include "abi/hcall.h"
#include "abi/rtas.h"
#include "abi/ucall.h"
#include "cpu/call_rows.h"
#include "cpu/host_interrupt.h"

namespace pefsim::ultravisor {

instruments::instruments(trace::recorder& recorder, std::string_view scope)
    : state(recorder, scope, "vm_state",
            "the virtual machine: normal, transient, secure, aborted, terminated"),
      ultracall(recorder, scope, "ultracall", "ultracall that the Ultravisor serves", no_call),
      hypercall(recorder, scope, "hypercall", "hypercall that the Ultravisor has passed on or makes itself",
                no_call),
      interrupt(recorder, scope, "interrupt",
                "interrupt that the Ultravisor has taken while the secure guest ran", no_call),
      page(recorder, scope, "page", "page that was last moved in or out, shared or unshared"),
      crypt_operations(recorder, scope, "crypt_operations", "pages encrypted and decrypted so far"),
      ultracalls(recorder.metrics(), scope, "ultracalls", "calls", "by name",
                 cpu::call_labels(abi::ucall_declarations, "unknown ultracall")),
      hypercalls(recorder.metrics(), scope, "hypercalls", "calls",
                 "passed on for the guest or made by the Ultravisor, by name",
                 cpu::call_labels(abi::hcall_declarations, "unknown hypercall")),
      rtas_relayed(recorder.metrics(), scope, "rtas_relayed", "calls",
                   "RTAS calls of the secure guest that went through the Ultravisor's page, by name",
                   cpu::call_labels(abi::rtas_declarations, "unknown RTAS call")),
      interrupts(recorder.metrics(), scope, "interrupts", "interrupts",
                 "that the host caused or hardware left to it while the secure guest ran, by name",
                 cpu::names_of(cpu::host_interrupts)),
      mmio_reflected(recorder.metrics(), scope, "mmio_reflected", "accesses",
                     "of the secure guest that became H_LOGICAL_CI_LOAD or H_LOGICAL_CI_STORE"),
      pages_moved_in(recorder.metrics(), scope, "pages_moved_in", "pages",
                     "copied while the guest became secure"),
      pages_encrypted(recorder.metrics(), scope, "pages_encrypted", "pages", "that left secure memory"),
      pages_decrypted(recorder.metrics(), scope, "pages_decrypted", "pages",
                      "that came back to secure memory"),
      pages_zeroed(recorder.metrics(), scope, "pages_zeroed", "pages", "cleared when they changed sides"),
      tamper_refusals(recorder.metrics(), scope, "tamper_refusals", "pages",
                      "that failed their authentication: changed, replayed or swapped"),
      page_faults(recorder.metrics(), scope, "page_faults", "faults",
                  "of the secure guest at pages that were not there"),
      esm_images(recorder.metrics(), scope, "esm_images", "images",
                 "at UV_ESM, by what came of their check against an ESM blob",
                 {"unverified", "verified", "refused", "warned"}) {}

}  // namespace pefsim::ultravisor
