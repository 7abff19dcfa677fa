// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "abi/address.h"
#include "abi/rtas.h"
#include "cpu/traps.h"
#include "power/registers.h"
#include "ultravisor/random_stream.h"

namespace pefsim::ultravisor {

struct firmware;

/// RTAS of a secure guest. The argument block, and the memory that an argument names, are private; so H_RTAS goes to
/// the host with the address of a copy in a page of the Ultravisor's own (SHARED_IMPLICIT: the guest does not know of
/// it), and what the host leaves there comes back. What is a buffer, and how long it may be, is what abi/rtas.h says,
/// never the host.
///
///     guest's block and buffer --> page of the Ultravisor --> hypervisor, firmware
///              ^                                                  |
///              +---- results; the buffer, on success <------------+
///
/// A processor of a secure guest begins in secure state where the guest wanted, whatever the host says: start-cpu goes
/// on with a cookie in place of what R3 shall be, and who enters the guest with this cookie in R3 is that processor
/// (doc/svm of the public Ultravisor has the same).
///
/// A block or buffer that cannot be read, or a buffer of more than `buffer_size` bytes, does not reach the host.
///
/// (The public Ultravisor has six pages, since its calls overlap: here a call is over when its trap is.)
class rtas_relay {
public:
    /// Bytes at the start of the page for the argument block; the buffer follows.
    static constexpr std::uint64_t block_size = 4096;
    static constexpr std::uint64_t buffer_size = 4096;

    explicit rtas_relay(std::uint64_t seed) : cookie_stream_(seed) {}

    /// A guest has become secure: its calls go through this page, which the host can read.
    /// \param page nothing: it has no RTAS
    void begin(std::optional<abi::phys_addr> page);

    /// H_RTAS of the secure guest.
    void serve(firmware& here, power::registers& state, cpu::trap_context& context);
    /// The host lets a processor enter the secure guest: `state` is what it begins with.
    void enter(firmware& here, power::registers& state, cpu::trap_context& context);

private:
    struct call;
    struct start {
        unsigned cpu;
        std::uint64_t nip;
        std::uint64_t r3;
    };

    [[nodiscard]] abi::phys_addr buffer() const { return *page_ + block_size; }
    [[nodiscard]] std::optional<std::size_t> buffer_length(firmware& here, const call& of,
                                                           const power::registers& state,
                                                           cpu::trap_context& context) const;
    bool copy_buffer_out(firmware& here, call& of, const power::registers& state, cpu::trap_context& context);
    bool copy_back(firmware& here, const call& of, const power::registers& state, cpu::trap_context& context);
    std::uint32_t new_cookie(const call& of);

    std::optional<abi::phys_addr> page_;
    random_stream cookie_stream_;
    std::map<std::uint32_t, start> starts_;  // by cookie
};

}  // namespace pefsim::ultravisor
