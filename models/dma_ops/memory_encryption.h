// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "abi/address.h"
#include "cpu/native/native_cpu.h"

/// set_memory_decrypted() and set_memory_encrypted() of Linux's arch/powerpc/platforms/pseries/svm.c: in a secure guest
/// pages are shared with the host by one UV_SHARE_PAGE and taken back by one UV_UNSHARE_PAGE; both clear them.
/// Elsewhere they do nothing.
///
/// Linux ignores what the ultracall returns. So does this kernel; a failure is a violation (call_refused) in the log.
namespace pefsim::dma_ops {

/// \param at,size whole pages of 64 KiB
void set_memory_decrypted(cpu::native::native_cpu& cpu, abi::phys_addr at, std::size_t size);
void set_memory_encrypted(cpu::native::native_cpu& cpu, abi::phys_addr at, std::size_t size);

}  // namespace pefsim::dma_ops
