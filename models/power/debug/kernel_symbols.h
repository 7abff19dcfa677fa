// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::power::debug {

/// The symbols that a Linux kernel carries in itself for its own messages (CONFIG_KALLSYMS with
/// CONFIG_KALLSYMS_BASE_RELATIVE, as ppc64 has them), stripped or not: Linux's scripts/kallsyms.c, in the order of its
/// tables since 4.6 or in that since 6.4. Null: there are none, or they cannot be understood, as those of late kernels
/// (7.2) which have no base.
std::unique_ptr<symbol_lookup> kernel_symbols(const elf_image& kernel);

}  // namespace pefsim::power::debug
