// SPDX-License-Identifier: Apache-2.0
#include "cpu/failed_accesses.h"

#include <fmt/format.h>

#include "report/violations.h"

namespace pefsim::cpu {
namespace {

std::string text_of(access_failure why, unsigned attempts) {
    switch (why) {
    case access_failure::no_answer:
        return "nothing answers at this address";
    case access_failure::page_missing:
        return fmt::format("the page is still not there after {} storage interrupts", attempts);
    case access_failure::bus_error:
        return "the page fault ended in a bus error";
    case access_failure::no_code:
        return "no memory to execute";
    case access_failure::mmio_no_answer:
        return "MMIO: nothing answers";
    case access_failure::mmio_unfinished:
        return fmt::format("MMIO: not done after {} storage interrupts", attempts);
    }
    return {};
}

}  // namespace

void failed_accesses::report(const storage_fault& access, access_failure why, const sc_core::sc_time& when) {
    recorder_.violations().report(
        {.when = when,
         .kind = report::violation_kind::bad_address,
         .who = who_,
         .address = access.at.value(),
         .size = access.size,
         .page_state = {},
         .request = 0,
         .detail = fmt::format("{}: {}", to_name(access.kind), text_of(why, attempts_))});
}

}  // namespace pefsim::cpu
