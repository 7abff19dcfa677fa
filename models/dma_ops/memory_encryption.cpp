// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/memory_encryption.h"

#include <fmt/format.h>

#include "abi/ucall.h"
#include "report/violations.h"

namespace pefsim::dma_ops {

namespace {

void change_pages(cpu::native::native_cpu& cpu, abi::ucall number, abi::phys_addr at, std::size_t size) {
    if (!cpu.secure()) {
        return;
    }
    const std::uint64_t pages = size >> abi::page_shift;
    const abi::u_status status = cpu.ultracall(number, {abi::gfn_of(at), pages});
    if (status != abi::u_status::u_success) {
        cpu.recorder().violations().report(
            {.when = cpu.now(),
             .kind = report::violation_kind::call_refused,
             .who = cpu.basename(),
             .address = at.value(),
             .size = size,
             .page_state = {},
             .request = 0,
             .detail = fmt::format("{} of {} pages returned {}; the kernel goes on as if it had not",
                                   abi::ucall_name(static_cast<std::uint64_t>(number)), pages,
                                   static_cast<std::int64_t>(status))});
    }
}

}  // namespace

void set_memory_decrypted(cpu::native::native_cpu& cpu, abi::phys_addr at, std::size_t size) {
    change_pages(cpu, abi::ucall::uv_share_page, at, size);
}

void set_memory_encrypted(cpu::native::native_cpu& cpu, abi::phys_addr at, std::size_t size) {
    change_pages(cpu, abi::ucall::uv_unshare_page, at, size);
}

}  // namespace pefsim::dma_ops
