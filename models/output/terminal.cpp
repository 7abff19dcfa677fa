// SPDX-License-Identifier: Apache-2.0
#include "output/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace pefsim::output {
namespace {

std::string_view from_environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

std::size_t columns_of(int descriptor) {
    constexpr std::size_t least = 80;
    constexpr std::size_t most = 120;
    constexpr std::size_t without_terminal = 100;
    winsize size{};
    if (::isatty(descriptor) == 0 || ::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return without_terminal;
    }
    return std::clamp<std::size_t>(size.ws_col, least, most);
}

bool takes_colour(int descriptor) {
    return ::isatty(descriptor) != 0 && from_environment("NO_COLOR").empty() &&
           from_environment("TERM") != "dumb";
}

}  // namespace pefsim::output
