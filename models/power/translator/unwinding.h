// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace pefsim::power::host_code {

/// Tells the C++ runtime how to find the caller of code that was made at run time, so that exceptions of those whom it
/// calls (a trace that cannot be written, a mistake in a device) get past it: DWARF call frame information, as in
/// .eh_frame (System V ABI, AMD64 supplement, 4.2.4).
class unwinding {
public:
    /// For `bytes` of code from `begin` on, where six registers (rbp, rbx, r12 .. r15, in this order) and then
    /// `deeper` bytes lie on the stack behind the return address.
    unwinding(std::uint64_t begin, std::uint64_t bytes, unsigned deeper);
    ~unwinding();
    unwinding(const unwinding&) = delete;
    unwinding& operator=(const unwinding&) = delete;

private:
    alignas(8) std::array<std::byte, 96> frame_{};
};

}  // namespace pefsim::power::host_code
