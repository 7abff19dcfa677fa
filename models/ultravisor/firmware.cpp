// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/firmware.h"

#include <fmt/format.h>
#include <stdexcept>
#include <string_view>

#include "abi/address.h"

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

work_costs::work_costs(const timing::timing& of)
    : ultracall(nanoseconds(of.ultracall_ns)),
      reflection(nanoseconds(of.reflection_ns)),
      interrupt_return(nanoseconds(of.interrupt_return_ns)),
      page_in(nanoseconds(of.page_in_ns)),
      crypt(one_page_at(of.page_crypt_gb_per_s, "page_crypt")),
      zero(one_page_at(of.page_zero_gb_per_s, "page_zero")),
      copy(one_page_at(of.memcpy_gb_per_s, "memcpy")) {}

}  // namespace pefsim::ultravisor
