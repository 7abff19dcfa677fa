// SPDX-License-Identifier: Apache-2.0
//
// Terminals: ppc64 has ioctl requests, flags and control characters of its own (asm/ioctls.h, asm/termbits.h).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <span>

#include "linux_user/calls.h"
#include "linux_user/host_result.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"

namespace pefsim::linux_user::calls {
namespace {

/// A flag, or a value of a field, on ppc64 and on the host.
struct flag {
    std::uint32_t program;
    tcflag_t host;
};

constexpr flag input_flags[] = {
    {0x0001, IGNBRK}, {0x0002, BRKINT}, {0x0004, IGNPAR}, {0x0008, PARMRK},  {0x0010, INPCK},
    {0x0020, ISTRIP}, {0x0040, INLCR},  {0x0080, IGNCR},  {0x0100, ICRNL},   {0x0200, IXON},
    {0x0400, IXOFF},  {0x0800, IXANY},  {0x1000, IUCLC},  {0x2000, IMAXBEL}, {0x4000, IUTF8},
};
constexpr flag output_flags[] = {
    {0x01, OPOST}, {0x02, ONLCR},  {0x04, OLCUC}, {0x08, OCRNL},
    {0x10, ONOCR}, {0x20, ONLRET}, {0x40, OFILL}, {0x80, OFDEL},
};
constexpr flag local_flags[] = {
    {0x0000'0080, ISIG},   {0x0000'0100, ICANON},  {0x0000'4000, XCASE},   {0x0000'0008, ECHO},
    {0x0000'0002, ECHOE},  {0x0000'0004, ECHOK},   {0x0000'0010, ECHONL},  {0x8000'0000, NOFLSH},
    {0x0040'0000, TOSTOP}, {0x0000'0040, ECHOCTL}, {0x0000'0020, ECHOPRT}, {0x0000'0001, ECHOKE},
    {0x0080'0000, FLUSHO}, {0x2000'0000, PENDIN},  {0x0000'0400, IEXTEN},  {0x1000'0000, EXTPROC},
};
constexpr flag control_flags[] = {
    {0x0400, CSTOPB}, {0x0800, CREAD}, {0x1000, PARENB}, {0x2000, PARODD}, {0x4000, HUPCL}, {0x8000, CLOCAL},
};
constexpr std::uint32_t size_mask = 0x300;  // CSIZE
constexpr flag sizes[] = {{0x000, CS5}, {0x100, CS6}, {0x200, CS7}, {0x300, CS8}};
constexpr std::uint32_t speed_mask = 0xff;  // CBAUD
constexpr flag speeds[] = {
    {0, B0},      {1, B50},     {2, B75},     {3, B110},     {4, B134},     {5, B150},     {6, B200},
    {7, B300},    {8, B600},    {9, B1200},   {10, B1800},   {11, B2400},   {12, B4800},   {13, B9600},
    {14, B19200}, {15, B38400}, {16, B57600}, {17, B115200}, {18, B230400}, {19, B460800}, {20, B500000},
};

/// Control characters in the order of ppc64's c_cc.
constexpr std::array<std::uint8_t, 17> control_characters{VINTR, VQUIT,  VERASE, VKILL,  VEOF,    VMIN,
                                                          VEOL,  VTIME,  VEOL2,  VSWTC,  VWERASE, VREPRINT,
                                                          VSUSP, VSTART, VSTOP,  VLNEXT, VDISCARD};

std::uint32_t to_program(std::span<const flag> flags, tcflag_t host) {
    std::uint32_t program = 0;
    for (const flag& each : flags) {
        program |= (host & each.host) != 0 ? each.program : 0;
    }
    return program;
}

tcflag_t to_host(std::span<const flag> flags, std::uint32_t program) {
    tcflag_t host = 0;
    for (const flag& each : flags) {
        host |= (program & each.program) != 0 ? each.host : 0;
    }
    return host;
}

std::uint32_t value_to_program(std::span<const flag> values, tcflag_t host, std::uint32_t otherwise) {
    const auto found = std::ranges::find(values, host, &flag::host);
    return found == values.end() ? otherwise : found->program;
}

tcflag_t value_to_host(std::span<const flag> values, std::uint32_t program, tcflag_t otherwise) {
    const auto found = std::ranges::find(values, program, &flag::program);
    return found == values.end() ? otherwise : found->host;
}

linux_abi::termios to_program(const ::termios& host) {
    linux_abi::termios to;
    to.iflag = to_program(input_flags, host.c_iflag);
    to.oflag = to_program(output_flags, host.c_oflag);
    to.lflag = to_program(local_flags, host.c_lflag);
    const std::uint32_t speed = value_to_program(speeds, ::cfgetospeed(&host), 15);
    to.cflag = to_program(control_flags, host.c_cflag) |
               value_to_program(sizes, host.c_cflag & CSIZE, size_mask) | speed;
    for (std::size_t i = 0; i < control_characters.size(); ++i) {
        to.cc[i] = host.c_cc[control_characters[i]];
    }
    to.line = host.c_line;
    to.ispeed = speed;
    to.ospeed = speed;
    return to;
}

/// \param host as it is now: what ppc64 cannot say stays
void to_host(const linux_abi::termios& from, ::termios& host) {
    host.c_iflag = to_host(input_flags, from.iflag);
    host.c_oflag = to_host(output_flags, from.oflag);
    host.c_lflag = to_host(local_flags, from.lflag);
    host.c_cflag = to_host(control_flags, from.cflag) | value_to_host(sizes, from.cflag & size_mask, CS8);
    const tcflag_t speed = value_to_host(speeds, from.cflag & speed_mask, B38400);
    ::cfsetispeed(&host, speed);
    ::cfsetospeed(&host, speed);
    for (std::size_t i = 0; i < control_characters.size(); ++i) {
        host.c_cc[control_characters[i]] = from.cc[i];
    }
    host.c_line = from.line;
}

result get_attributes(process& p, descriptor file, address to) {
    ::termios host{};
    if (::tcgetattr(file, &host) != 0) {
        return -errno;
    }
    return p.memory.put(to, to_program(host)) ? 0 : -EFAULT;
}

result set_attributes(process& p, descriptor file, address from, int when) {
    ::termios host{};
    linux_abi::termios wanted;
    if (::tcgetattr(file, &host) != 0) {
        return -errno;
    }
    if (!p.memory.get(from, wanted)) {
        return -EFAULT;
    }
    to_host(wanted, host);
    return host_result(::tcsetattr(file, when, &host));
}

/// A request whose argument is a structure that is the same on both.
template <typename T>
result pass_on(process& p, descriptor file, unsigned long request, address argument, bool reads) {
    T value{};
    if (!reads && !p.memory.get(argument, value)) {
        return -EFAULT;
    }
    const result done = host_result(::ioctl(file, request, &value));
    return done >= 0 && reads && !p.memory.put(argument, value) ? -EFAULT : done;
}

}  // namespace

result ioctl(process& p, descriptor file, std::uint32_t request, address argument) {
    if (::fcntl(file, F_GETFD) < 0) {
        return -EBADF;
    }
    switch (request) {
    case linux_abi::tcgets:
        return get_attributes(p, file, argument);
    case linux_abi::tcsets:
        return set_attributes(p, file, argument, TCSANOW);
    case linux_abi::tcsetsw:
        return set_attributes(p, file, argument, TCSADRAIN);
    case linux_abi::tcsetsf:
        return set_attributes(p, file, argument, TCSAFLUSH);
    case linux_abi::tcflsh:
        return host_result(::tcflush(file, static_cast<int>(argument)));
    case linux_abi::tiocgwinsz:
        return pass_on<winsize>(p, file, TIOCGWINSZ, argument, true);
    case linux_abi::tiocswinsz:
        return pass_on<winsize>(p, file, TIOCSWINSZ, argument, false);
    case linux_abi::fionread:
        return pass_on<int>(p, file, FIONREAD, argument, true);
    case linux_abi::fionbio:
        return pass_on<int>(p, file, FIONBIO, argument, false);
    case linux_abi::fioclex:
        return host_result(::ioctl(file, FIOCLEX));
    case linux_abi::fionclex:
        return host_result(::ioctl(file, FIONCLEX));
    case linux_abi::tiocgpgrp:  // the terminal is always the program's
        return ::isatty(file) == 0 ? -ENOTTY : p.memory.put(argument, std::int32_t{process_id}) ? 0 : -EFAULT;
    case linux_abi::tiocspgrp:
        return ::isatty(file) == 0 ? -ENOTTY : 0;
    default:
        return -ENOTTY;
    }
}

}  // namespace pefsim::linux_user::calls
