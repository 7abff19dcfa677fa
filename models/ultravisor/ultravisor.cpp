// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/ultravisor.h"

#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::ultravisor {

using sc_core::sc_time;

namespace {

sc_time nanoseconds(double ns) { return sc_time(ns, sc_core::SC_NS); }

// 1 GB/s is one byte per nanosecond.
sc_time one_page_at(double gb_per_s, std::string_view what) {
    if (!(gb_per_s > 0)) {
        throw std::invalid_argument(
            fmt::format("timing.{} is {} GB/s; it must be more than 0", what, gb_per_s));
    }
    return nanoseconds(static_cast<double>(abi::page_size) / gb_per_s);
}

}  // namespace

ultravisor::costs::costs(const timing::timing& of)
    : ultracall(nanoseconds(of.ultracall_ns)),
      reflection(nanoseconds(of.reflection_ns)),
      page_in(nanoseconds(of.page_in_ns)),
      crypt(one_page_at(of.page_crypt_gb_per_s, "page_crypt")),
      zero(one_page_at(of.page_zero_gb_per_s, "page_zero")),
      copy(one_page_at(of.memcpy_gb_per_s, "memcpy")) {}

ultravisor::ultravisor(const sc_core::sc_module_name& name, trace::recorder& recorder,
                       memory::memory_bus& bus, const config& parameters)
    : sc_module(name),
      hypervisor("hypervisor"),
      recorder_(recorder),
      bus_(bus),
      parameters_(parameters),
      costs_(parameters.costs),
      vm_(bus, parameters.seed),
      reflection_(derive_seed(parameters.seed, "hidden registers")),
      guest_random_(derive_seed(parameters.seed, "H_RANDOM")),
      shows_(recorder, this->name()) {}

void ultravisor::end_guest(std::string_view why, std::uint64_t address, cpu::trap_context& context) {
    recorder_.violations().report({.when = context.now(),
                                   .kind = trace::violation_kind::guest_terminated,
                                   .who = "ultravisor",
                                   .address = address,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = std::string(why)});
    vm_.release(vm_state::terminated, context.now());
    show_state(context);
    context.terminated = true;
}

std::string ultravisor::caller_name(const power::registers& state, const cpu::trap_context& context) {
    return (state.msr & power::msr_hv) != 0 ? "hypervisor" : fmt::format("cpu{}", context.cpu);
}

}  // namespace pefsim::ultravisor
