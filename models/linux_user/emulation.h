// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::linux_user {

class process;

enum class emulation : std::uint8_t {
    none,   ///< the instruction is no such one, and nothing has happened
    done,   ///< it is executed
    fault,  ///< it accesses what the program may not: SIGSEGV with SEGV_ACCERR
};

/// Executes the instruction at NIP as Linux does for programs when the processor has it no more, or keeps it from
/// them (arch/powerpc/kernel/traps.c, emulate_instruction): mcrxr, dcba, mfspr of PVR, mfspr and mtspr of DSCR by its
/// privileged number, and whatever has the opcode of sync. What else is emulated there the POWER9 has.
emulation emulate_instruction(process& of);

/// The same behind an Alignment interrupt, for loads and stores of several registers, which the POWER9 does not
/// execute in little-endian mode (arch/powerpc/kernel/align.c; arch/powerpc/lib/sstep.c, LOAD_MULTI and STORE_MULTI).
/// Words are little-endian; of a last word that is not whole the low-order bytes are loaded, and zeros above.
emulation emulate_multiple(process& of);

}  // namespace pefsim::linux_user
