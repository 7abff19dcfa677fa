// SPDX-License-Identifier: Apache-2.0
#include "platform/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "output/stop_request.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

class open_file {
public:
    explicit open_file(int descriptor) : descriptor_(descriptor) {}
    ~open_file() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

template <class Reason>
[[noreturn]] void refuse(std::string_view file, const Reason& why) {
    throw std::invalid_argument(fmt::format("'{}' cannot be read: {}", file, why));
}

[[noreturn]] void refuse_for(std::string_view file, int error) {
    refuse(file, std::generic_category().message(error));
}

std::string read_all(int descriptor, std::string_view file, std::uint64_t largest) {
    std::string content;
    std::array<char, 65'536> piece{};
    for (;;) {
        // Standard input blocks; the others do not.
        if (descriptor == STDIN_FILENO && !output::stop_request::wait_for(descriptor, POLLIN)) {
            refuse_for(file, EINTR);
        }
        const ssize_t got = ::read(descriptor, piece.data(), piece.size());
        if (got > 0) {
            content.append(piece.data(), static_cast<std::size_t>(got));
        } else if (got == 0) {
            return content;
        } else if (errno == EAGAIN || errno == EINTR) {
            // Who writes there is slow. A FIFO without a writer gives nothing to wait for: read() is 0.
            if (!output::stop_request::wait_for(descriptor, POLLIN)) {
                refuse_for(file, EINTR);
            }
        } else {
            refuse_for(file, errno);
        }
        if (content.size() > largest) {
            refuse(file, fmt::format("it has more than {}", format_size(largest)));
        }
    }
}

}  // namespace

std::string content_of(const std::filesystem::path& file, std::uint64_t largest) {
    const std::string name = file.string();
    const open_file source(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    if (source.descriptor() < 0 || ::fstat(source.descriptor(), &status) != 0) {
        refuse_for(name, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        refuse_for(name, EISDIR);
    }
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
        refuse(name, "not a regular file");
    }
    if (S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) > largest) {
        refuse(name, fmt::format("it has more than {}", format_size(largest)));
    }
    std::string content = read_all(source.descriptor(), name, largest);
    if (S_ISFIFO(status.st_mode) && content.empty()) {
        refuse(name, "nobody writes to this FIFO");
    }
    return content;
}

std::string content_of_standard_input(std::uint64_t largest) {
    return read_all(STDIN_FILENO, "standard input", largest);
}

std::filesystem::path file_name(std::string_view text) {
    if (const std::size_t nul = text.find('\0'); nul != text.npos) {
        throw std::invalid_argument(
            fmt::format("'{}' and a NUL: no file has such a name", text.substr(0, nul)));
    }
    return text;
}

}  // namespace pefsim::platform
