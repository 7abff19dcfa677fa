// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/call_case.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/fuzz/fuzz_driver.h"

namespace pefsim::fuzz {
namespace {

using linux_user::argument_kind;
using linux_user::system_call_row;
using linux_user::system_call_table;

constexpr std::string_view path_texts[] = {
    "a",
    "b",
    "dir",
    "dir/a",
    "dir/../a",
    "link",
    "/work/a",
    "..",
    ".",
    "",
    "/",
    "/proc/self/maps",
    "/proc/self/mem",
    "/proc/self/fd/3",
    "/proc/self/fd",
    "/proc/self/cwd/a",
    "/proc/self/root/work",
    "/proc/thread-self/environ",
    "/proc/2/mem",
    "/proc/1000/exe",
    "/proc/sys/kernel/ostype",
    "/proc/net/unix",
    "a/",
    "dir/",
    "no/such/name",
    "/proc/self/fd/500",
    "/proc/mounts",
    "link/link/link",
    "proc",
    "/sys/devices/system/cpu/online",
};

constexpr std::uint64_t numbers[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    16,
    24,
    64,
    100,
    127,
    128,
    255,
    256,
    511,
    512,
    1000,
    1024,
    4095,
    4096,
    4097,
    65535,
    65536,
    65537,
    0x10000,
    0x20000,
    0x100000,
    0x1000000,
    0x7fff'ffff,
    0x8000'0000,
    0xffff'ffff,
    0x1'0000'0000,
    0x7fff'ffff'0000,
    0x8000'0000'0000,
    0x7fff'ffff'ffff'ffff,
    0x8000'0000'0000'0000,
    ~std::uint64_t{0},
    static_cast<std::uint64_t>(-100),
    static_cast<std::uint64_t>(-4096),
    0777,
    0100644,
    0x1000'0000,
    0x1000'1000,
    O_CREAT | O_RDWR,
    O_CREAT | O_WRONLY | O_TRUNC,
    O_PATH,
    O_RDWR | O_APPEND,
    O_CLOEXEC,
    O_NONBLOCK,
    AT_EMPTY_PATH,
    AT_SYMLINK_NOFOLLOW,
    0x22,
    0x32,
    0x12,
    0x11,
    0x100022,  // of mmap
};

const system_call_row& row_of(std::string_view name) {
    const auto found = std::ranges::find(system_call_table(), name, &system_call_row::name);
    if (found == system_call_table().end()) {
        throw std::invalid_argument(fmt::format("'{}' is no system call", name));
    }
    return *found;
}

call_argument read_argument(std::istream& from, char first) {
    using kind = call_argument::kind;
    call_argument read;
    if (first == '"') {
        read.what = kind::path;
        std::getline(from, read.text, '"');
        return read;
    }
    read.what = first == '@' ? kind::place : first == '$' ? kind::result : kind::number;
    if (read.what == kind::number) {
        from.unget();
    }
    std::string digits;
    from >> digits;
    read.value = static_cast<std::uint64_t>(digits.starts_with('-')
                                                ? std::stoll(digits, nullptr, 0)
                                                : static_cast<long long>(std::stoull(digits, nullptr, 0)));
    return read;
}

}  // namespace

std::vector<fuzz_call> read_calls(const std::filesystem::path& file) {
    std::vector<fuzz_call> calls;
    for (const std::string& line : lines_of(file)) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        try {
            fuzz_call read{.number = row_of(name).number, .arguments = {}};
            std::size_t count = 0;
            for (char first = 0; words >> first && count < read.arguments.size(); ++count) {
                read.arguments[count] = read_argument(words, first);
            }
            calls.push_back(read);
        } catch (const std::exception& wrong) {
            throw std::invalid_argument(fmt::format("{}: '{}': {}", file.string(), line, wrong.what()));
        }
    }
    return calls;
}

std::string to_text(const fuzz_call& call) {
    std::string text = linux_user::system_call_name(call.number);
    for (const call_argument& each : call.arguments) {
        switch (each.what) {
        case call_argument::kind::number:
            text += fmt::format(" {:#x}", each.value);
            break;
        case call_argument::kind::place:
            text += fmt::format(" @{:#x}", each.value);
            break;
        case call_argument::kind::path:
            text += fmt::format(" \"{}\"", each.text);
            break;
        case call_argument::kind::result:
            text += fmt::format(" ${}", each.value);
            break;
        }
    }
    return text;
}

call_argument call_maker::value(std::size_t before) {
    using kind = call_argument::kind;
    switch (below(8)) {
    case 0:
        return {kind::number, random_() >> below(64)};
    case 1:
    case 2:
        return {kind::place, below(0x10000)};
    case 3:
        return {kind::place, 0x10000 * below(8) - below(16)};  // at the edge of a page
    case 4:
        return before == 0 ? call_argument{} : call_argument{kind::result, below(before)};
    default:
        return {kind::number, numbers[below(std::size(numbers))] + (below(16) == 0 ? below(9) - 4 : 0)};
    }
}

call_argument call_maker::argument(argument_kind which, std::size_t before) {
    using kind = call_argument::kind;
    switch (which) {
    case argument_kind::descriptor:
    case argument_kind::directory:
    case argument_kind::descriptor_number:
        if (before != 0 && below(3) == 0) {
            return {kind::result, below(before)};
        }
        return {kind::number, below(6) == 0   ? 498 + below(8)
                              : below(4) == 0 ? static_cast<std::uint64_t>(AT_FDCWD)
                                              : below(16)};
    case argument_kind::path:
        return below(16) == 0
                   ? value(before)
                   : call_argument{kind::path, 0, std::string(path_texts[below(std::size(path_texts))])};
    default:
        return value(before);
    }
}

fuzz_call call_maker::random_call(std::size_t before) {
    const system_call_row& row = system_call_table()[below(system_call_table().size())];
    fuzz_call made{.number = below(64) == 0 ? below(600) : row.number, .arguments = {}};
    for (std::size_t i = 0; i < made.arguments.size(); ++i) {
        made.arguments[i] = argument(row.kinds[i], before);
    }
    return made;
}

std::vector<fuzz_call> call_maker::make(std::size_t count) {
    std::vector<fuzz_call> made;
    if (!corpus_.empty() && below(4) != 0) {
        made = corpus_[below(corpus_.size())];
        for (fuzz_call& each : made) {
            if (below(8) == 0) {
                each.arguments[below(each.arguments.size())] = value(made.size());
            }
        }
    }
    while (made.size() < count) {
        const fuzz_call next = random_call(made.size());
        const auto row = std::ranges::find(system_call_table(), next.number, &system_call_row::number);
        const bool ends = next.number == 1 || next.number == 234 ||
                          next.number == 29;  // exit, exit_group, pause
        const bool is_there = row == system_call_table().end() || row->function != nullptr;
        if ((is_there && !ends) || below(32) == 0) {
            made.push_back(next);
        }
    }
    return made;
}

bool is_left_out(std::uint64_t number, const linux_user::system_call_arguments& arguments) {
    const std::string name = linux_user::system_call_name(number);
    const auto stops = [](std::uint64_t signal) {
        const auto which = static_cast<int>(signal);
        return which == SIGSTOP || which == SIGTSTP || which == SIGTTIN || which == SIGTTOU;
    };
    const auto is_fifo = [](std::uint64_t mode) { return (mode & S_IFMT) == S_IFIFO; };  // opening it waits
    if (name == "sync" || name == "syncfs") {
        return true;
    }
    if (name == "mknod" || name == "mknodat") {
        return is_fifo(arguments[name == "mknod" ? 1 : 2]);
    }
    if (name == "kill" || name == "tkill" || name == "rt_sigqueueinfo") {
        return stops(arguments[1]);
    }
    return (name == "tgkill" || name == "rt_tgsigqueueinfo") && stops(arguments[2]);
}

}  // namespace pefsim::fuzz
