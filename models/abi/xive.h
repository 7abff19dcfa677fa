// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// XIVE, the POWER9 interrupt controller, as a guest that exploits it sees it: the pages of abi/platform.h, and the
/// flags of its hypercalls. PAPR 2.9, H_INT_*; Linux's asm/xive-regs.h. Registers are big-endian.
namespace pefsim::abi::xive {

// --- Event state buffer (ESB): offsets in a management page, of accesses of 8 bytes. The page repeats every 4 KiB.
// Each load returns the state before (P is bit 1, Q bit 0), an end of interrupt whether it has let an event through.
inline constexpr std::uint64_t esb_repeats = 0x1000;
inline constexpr std::uint64_t esb_load_eoi = 0x000;
inline constexpr std::uint64_t esb_trigger = 0x000;    ///< by a store, in the trigger page anywhere
inline constexpr std::uint64_t esb_store_eoi = 0x400;  ///< not offered
inline constexpr std::uint64_t esb_get = 0x800;
inline constexpr std::uint64_t esb_set_pq_00 = 0xc00;
inline constexpr std::uint64_t esb_set_pq_01 = 0xd00;
inline constexpr std::uint64_t esb_set_pq_10 = 0xe00;
inline constexpr std::uint64_t esb_set_pq_11 = 0xf00;

// --- Thread interrupt management area (TIMA): a ring of 16 bytes for each privilege, and operations
inline constexpr std::uint64_t tm_rings_size = 0x40;
inline constexpr std::uint64_t tm_os_ring = 0x10;
inline constexpr std::uint64_t tm_nsr = 0;    ///< notification source
inline constexpr std::uint64_t tm_cppr = 1;   ///< current processor priority
inline constexpr std::uint64_t tm_ipb = 2;    ///< pending priorities: priority 0 is the highest bit
inline constexpr std::uint64_t tm_lsmfb = 3;  ///< logical server's most favoured backlog
inline constexpr std::uint64_t tm_ack_cnt = 4;
inline constexpr std::uint64_t tm_inc = 5;
inline constexpr std::uint64_t tm_age = 6;
inline constexpr std::uint64_t tm_pipr = 7;                ///< the most favoured pending priority
inline constexpr std::uint64_t tm_acknowledge_os = 0x810;  ///< load 2: NSR before, and CPPR then
inline constexpr std::uint64_t tm_set_os_pending = 0x812;  ///< store 1: a priority
/// Store 1, of whatever: as tm_acknowledge_os, and what that gives is written into the reporting line.
inline constexpr std::uint64_t tm_acknowledge_os_to_line = 0xc10;
inline constexpr std::uint8_t nsr_exception = 0x80;  ///< of the OS ring: EO
inline constexpr std::uint8_t no_priority = 0xff;    ///< CPPR: nothing is masked; PIPR: nothing is pending
inline constexpr std::uint8_t least_favoured_priority = 7;

/// An event queue's entry: 4 bytes, big-endian. The top bit is the queue's generation, which is 1 when the queue is new
/// and turns with each wrap; the rest is the effective interrupt source number (EISN).
inline constexpr std::uint32_t entry_generation = std::uint32_t{1} << 31;
inline constexpr std::uint32_t eisn_mask = entry_generation - 1;

// --- A thread's reporting line (H_INT_SET_OS_REPORTING_LINE): a pair of cache lines, aligned to its size. An
// acknowledge to it writes the even line's first 16 bytes: ones, but for NSR before and CPPR then. No document of IBM's
// says so in public; QEMU's hw/intc/xive2.c does, of a controller that works as one of the first generation, POWER9's.
inline constexpr std::uint64_t reporting_line_pair = 256;
inline constexpr std::uint64_t report_size = 16;
inline constexpr std::uint64_t report_nsr = 8;
inline constexpr std::uint64_t report_cppr = 9;

// --- Flags of hypercalls
inline constexpr std::uint64_t source_info_h_int_esb = 8;  ///< H_INT_ESB instead of the pages
inline constexpr std::uint64_t source_info_level = 4;
inline constexpr std::uint64_t source_info_one_page = 2;
inline constexpr std::uint64_t source_info_store_eoi = 1;
inline constexpr std::uint64_t source_config_set_eisn = 2;
inline constexpr std::uint64_t source_config_mask = 1;
inline constexpr std::uint64_t queue_always_notify = 1;  ///< set and get
inline constexpr std::uint64_t queue_generation = 2;     ///< get: with debug data
inline constexpr std::uint64_t queue_config_debug = 1;   ///< get: asks for them
inline constexpr std::uint64_t esb_call_store = 1;
inline constexpr std::uint64_t not_there = ~std::uint64_t{0};  ///< a page of a source, a reporting line

}  // namespace pefsim::abi::xive
