// SPDX-License-Identifier: Apache-2.0
#include "output/standard_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <system_error>

#include "output/stop_request.h"
#include "output/whole_file.h"

namespace pefsim::output {
namespace {

struct state {
    std::string held_back;
    int error = 0;
    bool terminal = ::isatty(STDOUT_FILENO) == 1;
};

state& standard() {
    static state only;
    return only;
}

}  // namespace

namespace standard_output {

void write(std::string_view text) {
    constexpr std::size_t block = 65'536;
    state& out = standard();
    out.held_back += text;
    if (out.held_back.size() >= block || (out.terminal && text.find('\n') != text.npos)) {
        flush();
    }
}

void flush() {
    state& out = standard();
    std::string_view rest = out.held_back;
    while (out.error == 0 && !rest.empty()) {
        if (!stop_request::wait_for(STDOUT_FILENO, POLLOUT)) {
            out.error = EINTR;
            break;
        }
        // So much fits into a pipe that has room at all.
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(),
                                        std::min<std::size_t>(rest.size(), PIPE_BUF));
        if (written >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR && errno != EAGAIN) {
            out.error = errno;
        }
    }
    out.held_back.clear();
}

void check() {
    flush();
    if (const int error = standard().error; error != 0) {
        throw write_error(fmt::format("standard output: could not be written in full: {}",
                                      std::generic_category().message(error)),
                          {});
    }
}

}  // namespace standard_output

void complain(std::string_view line) {
    const std::string text = fmt::format("{}\n", line);
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

void occupy_standard_descriptors() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(descriptor, F_GETFD) < 0) {
            // The lowest free descriptor is this one. It is open the wrong way: EBADF for whoever uses it.
            [[maybe_unused]] const int same = ::open("/dev/null",
                                                     descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

}  // namespace pefsim::output
