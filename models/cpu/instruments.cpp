// SPDX-License-Identifier: Apache-2.0
#include "cpu/instruments.h"

#include "abi/hcall.h"
#include "abi/ucall.h"
#include "cpu/call_rows.h"

namespace pefsim::cpu {

instruments::instruments(trace::recorder& recorder, std::string_view scope, bool takes_interrupts)
    : call(recorder, scope, "call", "hypercall or ultracall that the CPU is in", no_call),
      msr_s(recorder, scope, "msr_s", "MSR[S]: the guest is secure"),
      ee(recorder, scope, "ee", "MSR[EE]: external interrupts are taken", takes_interrupts),
      idle(recorder, scope, "idle", "waiting for an interrupt: H_CEDE, or a POWER guest's stop or wait"),
      interrupt(recorder, scope, "interrupt", "an external interrupt is taken"),
      hypercalls(recorder.metrics(), scope, "hypercalls", "calls", "sc 1, by name",
                 call_labels(abi::hcall_declarations, "unknown hypercall")),
      ultracalls(recorder.metrics(), scope, "ultracalls", "calls", "sc 2, by name",
                 call_labels(abi::ucall_declarations, "unknown ultracall")),
      mmio_loads(recorder.metrics(), scope, "mmio_loads", "loads", "MMIO loads"),
      mmio_stores(recorder.metrics(), scope, "mmio_stores", "stores", "MMIO stores"),
      interrupts(recorder.metrics(), scope, "interrupts", "interrupts", "external interrupts taken"),
      storage_interrupts(recorder.metrics(), scope, "storage_interrupts", "interrupts",
                         "accesses to pages that were not there") {}

}  // namespace pefsim::cpu
