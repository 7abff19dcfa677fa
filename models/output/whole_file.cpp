// SPDX-License-Identifier: Apache-2.0
#include "output/whole_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include "output/file_claims.h"
#include "output/stop_request.h"

namespace pefsim::output {
namespace {

namespace fs = std::filesystem;

constexpr mode_t mode_of_new_files = 0666;  // less the umask
constexpr std::size_t longest_stem =
    200;  // of a name of at most 255 bytes; the FST library appends to it, too

std::string text_of(int error) { return std::generic_category().message(error); }

std::optional<struct stat> status_of(const fs::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
}

/// Standard output or error when `file` is what it leads to, else -1.
int standard_descriptor(const struct stat& file) {
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        struct stat standard {};
        if (::fstat(descriptor, &standard) == 0 && standard.st_dev == file.st_dev &&
            standard.st_ino == file.st_ino) {
            return descriptor;
        }
    }
    return -1;
}

/// The descriptor, or one like it that is not below `lowest`.
int moved(int descriptor, int lowest) {
    if (descriptor < 0 || descriptor >= lowest) {
        return descriptor;
    }
    const int higher = ::fcntl(descriptor, F_DUPFD_CLOEXEC, lowest);
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return higher;
}

}  // namespace

whole_file::whole_file(std::string_view what, fs::path place, access how, int lowest_descriptor)
    : what_(what),
      named_(std::move(place)),
      lowest_descriptor_(lowest_descriptor) {
    const std::optional<struct stat> old = status_of(named_);
    if (old && S_ISDIR(old->st_mode)) {
        refuse(text_of(EISDIR));
    }
    const int standard = old ? standard_descriptor(*old) : -1;
    if (old && (!S_ISREG(old->st_mode) || standard >= 0)) {
        if (how == access::by_name || S_ISBLK(old->st_mode) || S_ISSOCK(old->st_mode)) {
            refuse("not a regular file");
        }
        if (standard >= 0) {
            descriptor_ = ::fcntl(standard, F_DUPFD_CLOEXEC, lowest_descriptor);
        } else {
            open_directly(named_, lowest_descriptor);
        }
        if (descriptor_ < 0) {
            refuse(text_of(errno));
        }
        return;
    }
    if (old && ::access(named_.c_str(), W_OK) != 0) {
        refuse(text_of(errno));
    }
    target_ = fs::absolute(behind_links(named_));
    open_beside(how, lowest_descriptor);
}

/// A device or a FIFO.
void whole_file::open_directly(const fs::path& file, int lowest_descriptor) {
    // Without O_NONBLOCK the open of a FIFO waits for its reader.
    descriptor_ = moved(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
                        lowest_descriptor);
    if (descriptor_ < 0 && errno == ENXIO) {
        refuse("nobody reads this FIFO");
    }
    if (descriptor_ >= 0) {
        ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) & ~O_NONBLOCK);
    }
}

void whole_file::open_beside(access how, int lowest_descriptor) {
    const std::string stem = target_.filename().string().substr(0, longest_stem);
    if (stem.empty() || stem == "." || stem == "..") {
        refuse("not the name of a file");
    }
    if (target_.filename().string().size() > NAME_MAX) {
        refuse(text_of(ENAMETOOLONG));
    }
    for (unsigned attempt = 0;; ++attempt) {
        const fs::path beside = target_.parent_path() /
                                fmt::format("{}.unfinished-{}{}", stem, ::getpid(),
                                            attempt == 0 ? "" : fmt::format("-{}", attempt));
        const int file = ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_of_new_files);
        if (file < 0 && errno == EEXIST) {
            continue;
        }
        if (file < 0) {
            refuse(text_of(errno));
        }
        scratch_ = beside;
        if (how != access::sequential) {
            ::close(file);
            return;
        }
        descriptor_ = moved(file, lowest_descriptor);
        if (descriptor_ < 0) {
            const int error = errno;
            discard();
            refuse(text_of(error));
        }
        return;
    }
}

void whole_file::refuse(std::string_view why) const {
    throw std::invalid_argument(fmt::format("{} '{}': cannot be written: {}", what_, named_.string(), why));
}

bool whole_file::write(std::span<const std::byte> bytes) {
    if (error_ == 0 && descriptor_ < 0) {  // access::late
        descriptor_ = moved(::open(scratch_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC), lowest_descriptor_);
        error_ = descriptor_ < 0 ? errno : 0;
    }
    while (error_ == 0 && !bytes.empty()) {
        // A pipe that has room at all takes so much; a reader that does not read must not keep the run from ending.
        const std::size_t part = direct() ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        if (direct() && !stop_request::wait_for(descriptor_, POLLOUT)) {
            error_ = EINTR;
            break;
        }
        const ssize_t written = ::write(descriptor_, bytes.data(), part);
        if (written >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno != EINTR && errno != EAGAIN) {
            error_ = errno;
        }
    }
    return error_ == 0;
}

void whole_file::fail(int error) {
    if (error_ == 0) {
        error_ = error == 0 ? unknown : error;
    }
}

void whole_file::close() {
    if (descriptor_ >= 0 && ::close(std::exchange(descriptor_, -1)) != 0) {
        fail(errno);
    }
}

void whole_file::commit() {
    close();
    if (error_ != 0) {
        const int error = error_;
        discard();
        throw write_error(fmt::format("{} '{}': could not be written in full{}", what_, named_.string(),
                                      error == unknown ? std::string() : ": " + text_of(error)),
                          named_);
    }
    if (direct()) {
        return;
    }
    if (const auto old = status_of(target_)) {
        // Another's file stays his if the host lets us; it is replaced in any case.
        if (::chown(scratch_.c_str(), old->st_uid, old->st_gid) == 0 || errno == EPERM) {
            ::chmod(scratch_.c_str(), old->st_mode & 07777);
        }
    }
    if (::rename(scratch_.c_str(), target_.c_str()) != 0) {
        const int error = errno;
        const fs::path kept = std::exchange(scratch_, {});
        throw write_error(fmt::format("{} '{}': cannot be replaced: {}; what was to stand there is in '{}'",
                                      what_, named_.string(), text_of(error), kept.string()),
                          named_);
    }
    scratch_.clear();
}

void whole_file::discard() {
    close();
    if (!scratch_.empty()) {
        ::unlink(std::exchange(scratch_, {}).c_str());
    }
}

}  // namespace pefsim::output
