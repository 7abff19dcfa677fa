// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "power/registers.h"

/// What a ppc64le program and Linux agree on and other machines do otherwise: numbers and structures of
/// arch/powerpc/include/uapi/asm. Where ppc64 follows asm-generic the host's own definitions serve, as both are 64-bit
/// and little-endian.
namespace pefsim::linux_user::linux_abi {

static_assert(std::endian::native == std::endian::little, "structures are copied as they are");

inline constexpr std::uint64_t task_size = std::uint64_t{1} << 47;  ///< DEFAULT_MAP_WINDOW_USER64

// --- asm/fcntl.h
inline constexpr int o_directory = 0040000;
inline constexpr int o_nofollow = 0100000;
inline constexpr int o_largefile = 0200000;
inline constexpr int o_direct = 0400000;

// --- asm/mman.h
inline constexpr unsigned prot_read = 1;
inline constexpr unsigned prot_write = 2;
inline constexpr unsigned prot_exec = 4;
inline constexpr unsigned map_shared = 0x01;
inline constexpr unsigned map_private = 0x02;
inline constexpr unsigned map_type = 0x0f;
inline constexpr unsigned map_fixed = 0x10;
inline constexpr unsigned map_anonymous = 0x20;
inline constexpr unsigned map_fixed_noreplace = 0x100000;

// --- asm/stat.h
struct stat {
    std::uint64_t dev = 0;
    std::uint64_t ino = 0;
    std::uint64_t nlink = 0;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t pad = 0;
    std::uint64_t rdev = 0;
    std::int64_t size = 0;
    std::uint64_t blksize = 0;
    std::uint64_t blocks = 0;
    std::uint64_t atime = 0;
    std::uint64_t atime_nsec = 0;
    std::uint64_t mtime = 0;
    std::uint64_t mtime_nsec = 0;
    std::uint64_t ctime = 0;
    std::uint64_t ctime_nsec = 0;
    std::array<std::uint64_t, 3> unused{};
};
static_assert(sizeof(stat) == 144);

// --- asm/termbits.h
struct termios {
    std::uint32_t iflag = 0;
    std::uint32_t oflag = 0;
    std::uint32_t cflag = 0;
    std::uint32_t lflag = 0;
    std::array<std::uint8_t, 19> cc{};
    std::uint8_t line = 0;
    std::uint32_t ispeed = 0;
    std::uint32_t ospeed = 0;
};
static_assert(sizeof(termios) == 44);

// --- asm/ioctls.h, asm/ioctl.h: three bits of direction above thirteen of size
inline constexpr unsigned ioc_none = 1;
inline constexpr unsigned ioc_read = 2;
inline constexpr unsigned ioc_write = 4;
constexpr std::uint32_t ioc(unsigned direction, char type, unsigned number, std::size_t size) {
    return direction << 29 | static_cast<std::uint32_t>(size) << 16 | static_cast<std::uint32_t>(type) << 8 |
           number;
}
inline constexpr std::uint32_t fioclex = ioc(ioc_none, 'f', 1, 0);
inline constexpr std::uint32_t fionclex = ioc(ioc_none, 'f', 2, 0);
inline constexpr std::uint32_t fionbio = ioc(ioc_write, 'f', 126, 4);
inline constexpr std::uint32_t fionread = ioc(ioc_read, 'f', 127, 4);
inline constexpr std::uint32_t tcgets = ioc(ioc_read, 't', 19, sizeof(termios));
inline constexpr std::uint32_t tcsets = ioc(ioc_write, 't', 20, sizeof(termios));
inline constexpr std::uint32_t tcsetsw = ioc(ioc_write, 't', 21, sizeof(termios));
inline constexpr std::uint32_t tcsetsf = ioc(ioc_write, 't', 22, sizeof(termios));
inline constexpr std::uint32_t tcflsh = ioc(ioc_none, 't', 31, 0);
inline constexpr std::uint32_t tiocswinsz = ioc(ioc_write, 't', 103, 8);
inline constexpr std::uint32_t tiocgwinsz = ioc(ioc_read, 't', 104, 8);
inline constexpr std::uint32_t tiocspgrp = ioc(ioc_write, 't', 118, 4);
inline constexpr std::uint32_t tiocgpgrp = ioc(ioc_read, 't', 119, 4);
static_assert(tcgets == 0x402c7413 && tiocgwinsz == 0x40087468 && fionread == 0x4004667f);

// --- asm/signal.h: the numbers are asm-generic's
inline constexpr int signal_count = 64;
inline constexpr std::uint64_t sa_nocldstop = 1;
inline constexpr std::uint64_t sa_siginfo = 4;
inline constexpr std::uint64_t sa_onstack = 0x0800'0000;
inline constexpr std::uint64_t sa_nodefer = 0x4000'0000;
inline constexpr std::uint64_t sa_resethand = 0x8000'0000;
inline constexpr std::uint32_t ss_onstack = 1;
inline constexpr std::uint32_t ss_disable = 2;
inline constexpr std::uint64_t minimum_signal_stack = 8192;  ///< MINSIGSTKSZ

struct sigaction {
    std::uint64_t handler = 0;  ///< 0: default, 1: ignore
    std::uint64_t flags = 0;
    std::uint64_t restorer = 0;
    std::uint64_t mask = 0;
};
static_assert(sizeof(sigaction) == 32);

struct stack {
    std::uint64_t sp = 0;
    std::uint32_t flags = ss_disable;
    std::uint32_t pad = 0;
    std::uint64_t size = 0;
};
static_assert(sizeof(stack) == 24);

struct siginfo {
    std::int32_t signo = 0;
    std::int32_t error = 0;
    std::int32_t code = 0;
    std::int32_t pad = 0;
    std::uint64_t address = 0;  ///< of a fault; of kill() and its like: pid, and uid above it
    std::uint64_t value = 0;
    std::array<std::uint64_t, 12> unused{};
};
static_assert(sizeof(siginfo) == 128);

// --- asm/ptrace.h: struct user_pt_regs as it stands in gp_regs
struct general_registers {
    std::array<std::uint64_t, 32> gpr{};
    std::uint64_t nip = 0;
    std::uint64_t msr = 0;
    std::uint64_t orig_gpr3 = 0;
    std::uint64_t ctr = 0;
    std::uint64_t link = 0;
    std::uint64_t xer = 0;
    std::uint64_t ccr = 0;
    std::uint64_t softe = 1;
    std::uint64_t trap = 0;
    std::uint64_t dar = 0;
    std::uint64_t dsisr = 0;
    std::uint64_t result = 0;
    std::array<std::uint64_t, 4> unused{};
};
static_assert(sizeof(general_registers) == 48 * 8);

// --- asm/sigcontext.h. vmx_reserve holds, from its first 16-byte boundary on, the vector registers, VSCR, VRSAVE, and
// doubleword 1 of VSR 0..31.
struct vector_registers {
    std::array<power::vector_register, 32> vr;
    std::array<std::uint32_t, 4> vscr{};  ///< the first word counts
    std::array<std::uint32_t, 4> vrsave{};
    std::array<std::uint64_t, 32> vsr_low{};
};
static_assert(sizeof(vector_registers) == 34 * 16 + 32 * 8);

struct sigcontext {
    std::array<std::uint64_t, 4> unused{};
    std::int32_t signal = 0;
    std::int32_t pad = 0;
    std::uint64_t handler = 0;
    std::uint64_t oldmask = 0;
    std::uint64_t regs = 0;  ///< address of gp_regs
    general_registers gp_regs;
    std::array<std::uint64_t, 32> fp_regs{};
    std::uint64_t fpscr = 0;
    std::uint64_t v_regs = 0;  ///< address of the vector_registers in vmx_reserve
    std::array<std::uint64_t, 101> vmx_reserve{};
};
static_assert(sizeof(sigcontext) == 1528);

struct ucontext {
    std::uint64_t flags = 0;
    std::uint64_t link = 0;
    linux_abi::stack stack;
    std::uint64_t sigmask = 0;
    std::array<std::uint64_t, 15> unused{};
    sigcontext mcontext;
};
static_assert(sizeof(ucontext) == 1696);

/// What Linux pushes below the stack pointer: struct rt_sigframe of arch/powerpc/kernel/signal_64.c.
struct rt_sigframe {
    ucontext uc;
    ucontext uc_transact;
    std::array<std::uint64_t, 2> unused{};
    std::array<std::uint32_t, 7> tramp{};
    std::uint32_t pad = 0;
    std::uint64_t pinfo = 0;
    std::uint64_t puc = 0;
    siginfo info;
    std::array<std::byte, 512> abigap{};  ///< USER_REDZONE_MAX
};
static_assert(sizeof(rt_sigframe) % 16 == 0);
inline constexpr std::uint64_t signal_frame_gap = 128;  ///< __SIGNAL_FRAMESIZE

// --- asm/cputable.h, as a POWER9 under Linux 6.1 has them
namespace hwcap {
inline constexpr std::uint64_t ppc_32 = 0x8000'0000;
inline constexpr std::uint64_t ppc_64 = 0x4000'0000;
inline constexpr std::uint64_t altivec = 0x1000'0000;
inline constexpr std::uint64_t fpu = 0x0800'0000;
inline constexpr std::uint64_t mmu = 0x0400'0000;
inline constexpr std::uint64_t smt = 0x0000'4000;
inline constexpr std::uint64_t icache_snoop = 0x0000'2000;
inline constexpr std::uint64_t dfp = 0x0000'0400;
inline constexpr std::uint64_t arch_2_06 = 0x0000'0100;
inline constexpr std::uint64_t vsx = 0x0000'0080;
inline constexpr std::uint64_t perfmon_compat = 0x0000'0040;
inline constexpr std::uint64_t true_le = 0x0000'0002;
inline constexpr std::uint64_t power9 = ppc_32 | ppc_64 | altivec | fpu | mmu | smt | icache_snoop | dfp |
                                        arch_2_06 | vsx | perfmon_compat | true_le;
static_assert(power9 == 0xdc00'65c2);
}  // namespace hwcap
namespace hwcap2 {
inline constexpr std::uint64_t arch_2_07 = 0x8000'0000;
inline constexpr std::uint64_t dscr = 0x2000'0000;
inline constexpr std::uint64_t ebb = 0x1000'0000;
inline constexpr std::uint64_t isel = 0x0800'0000;
inline constexpr std::uint64_t tar = 0x0400'0000;
inline constexpr std::uint64_t vec_crypto = 0x0200'0000;
inline constexpr std::uint64_t arch_3_00 = 0x0080'0000;
inline constexpr std::uint64_t has_ieee128 = 0x0040'0000;
inline constexpr std::uint64_t darn = 0x0020'0000;
inline constexpr std::uint64_t scv = 0x0010'0000;
inline constexpr std::uint64_t power9 = arch_2_07 | dscr | ebb | isel | tar | vec_crypto | arch_3_00 |
                                        has_ieee128 | darn | scv;
static_assert(power9 == 0xbef0'0000);
}  // namespace hwcap2

// --- asm/auxvec.h
inline constexpr std::uint64_t at_dcachebsize = 19;
inline constexpr std::uint64_t at_icachebsize = 20;
inline constexpr std::uint64_t at_ucachebsize = 21;
inline constexpr std::uint64_t at_ignoreppc = 22;

/// PVR of a POWER9 DD2.2.
inline constexpr std::uint32_t power9_version = 0x004e'1202;
/// MSR of a program: 64-bit, little-endian, problem state, relocation on, floating point and vectors available.
inline constexpr std::uint64_t msr_user = 0x8000'0000'0280'f033;
/// MSR[FE0] and MSR[FE1]: enabled floating-point exceptions interrupt (prctl(PR_SET_FPEXC)).
inline constexpr std::uint64_t msr_fe0 = 0x800;
inline constexpr std::uint64_t msr_fe1 = 0x100;

}  // namespace pefsim::linux_user::linux_abi
