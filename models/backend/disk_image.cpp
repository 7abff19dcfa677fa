// SPDX-License-Identifier: Apache-2.0
#include "backend/disk_image.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pefsim::backend {

namespace {

constexpr std::size_t id_bytes = 20;

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view why) {
    throw std::invalid_argument(fmt::format("disk image '{}': {}", file.string(), why));
}

// The size of a usable image; the descriptor is closed by the caller when this throws.
std::uint64_t checked_size(int descriptor, const std::filesystem::path& file) {
    struct stat status {};
    if (fstat(descriptor, &status) != 0) {
        refuse(file, std::strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        refuse(file, "not a regular file");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size == 0) {
        refuse(file, "empty; a disk has at least one sector of 512 bytes");
    }
    if (size % sector_size != 0) {
        refuse(file, fmt::format("truncated: {} bytes are no multiple of the sector's 512", size));
    }
    return size;
}

}  // namespace

disk_image::disk_image(std::filesystem::path file, image_mode mode, const std::filesystem::path& known_as)
    : file_(std::move(file)),
      mode_(mode),
      id_((known_as.empty() ? file_ : known_as).filename().string().substr(0, id_bytes)) {
    const int access = mode == image_mode::read_write ? O_RDWR : O_RDONLY;
    // Without O_NONBLOCK the open of a FIFO waits for its writer.
    descriptor_ = ::open(file_.c_str(), access | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) {
        // A directory opened for writing: the kind of file is the clearer reason.
        const int reason = errno;
        std::error_code ignored;
        refuse(file_,
               std::filesystem::exists(file_, ignored) && !std::filesystem::is_regular_file(file_, ignored)
                   ? "not a regular file"
                   : std::strerror(reason));
    }
    try {
        size_ = checked_size(descriptor_, file_);
        if (mode == image_mode::snapshot) {
            overlay_.emplace(size_);
        }
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

disk_image::~disk_image() { ::close(descriptor_); }

bool disk_image::read_file(std::uint64_t offset, std::span<std::byte> to) const {
    while (!to.empty()) {
        const ssize_t n = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        offset += static_cast<std::uint64_t>(n);
        to = to.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool disk_image::write_file(std::uint64_t offset, std::span<const std::byte> from) {
    while (!from.empty()) {
        const ssize_t n = ::pwrite(descriptor_, from.data(), from.size(), static_cast<off_t>(offset));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            note_write_error();
            return false;
        }
        offset += static_cast<std::uint64_t>(n);
        from = from.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

bool disk_image::read(std::uint64_t offset, std::span<std::byte> to) {
    const auto base = [this](std::uint64_t at, std::span<std::byte> piece) { return read_file(at, piece); };
    return overlay_ ? overlay_->read(offset, to, base) : read_file(offset, to);
}

bool disk_image::write(std::uint64_t offset, std::span<const std::byte> from) {
    switch (mode_) {
    case image_mode::read_only:
        return false;
    case image_mode::read_write:
        return write_file(offset, from);
    case image_mode::snapshot:
        return overlay_->write(offset, from, [this](std::uint64_t at, std::span<std::byte> piece) {
            return read_file(at, piece);
        });
    }
    return false;
}

std::optional<bool> disk_image::allocate(int mode, std::uint64_t offset, std::uint64_t size) {
    int result = 0;
    do {
        result = ::fallocate(descriptor_, mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                             static_cast<off_t>(size));
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return true;
    }
    if (errno == EOPNOTSUPP || errno == ENOSYS) {
        return std::nullopt;
    }
    note_write_error();
    return false;
}

bool disk_image::fill_file_with_zeros(std::uint64_t offset, std::uint64_t size) {
    constexpr std::uint64_t piece = std::uint64_t{64} << 10;
    static constexpr std::array<std::byte, piece> zeros{};
    for (const std::uint64_t end = offset + size; offset < end;) {
        const auto part = std::span{zeros}.first(std::min(piece, end - offset));
        if (!write_file(offset, part)) {
            return false;
        }
        offset += part.size();
    }
    return true;
}

bool disk_image::zero_overlay(std::uint64_t offset, std::uint64_t size) {
    return overlay_->zero(
        offset, size, [this](std::uint64_t at, std::span<std::byte> piece) { return read_file(at, piece); });
}

bool disk_image::write_zeroes(std::uint64_t offset, std::uint64_t size, bool unmap) {
    switch (mode_) {
    case image_mode::read_only:
        return false;
    case image_mode::read_write:
        if (const auto done = allocate(unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, offset, size)) {
            return *done;
        }
        return fill_file_with_zeros(offset, size);
    case image_mode::snapshot:
        return zero_overlay(offset, size);
    }
    return false;
}

bool disk_image::discard(std::uint64_t offset, std::uint64_t size) {
    switch (mode_) {
    case image_mode::read_only:
        return false;
    case image_mode::read_write:
        return allocate(FALLOC_FL_PUNCH_HOLE, offset, size).value_or(true);
    case image_mode::snapshot:
        return zero_overlay(offset, size);
    }
    return false;
}

std::uint64_t disk_image::next_data(std::uint64_t offset) const {
    if (overlay_) {
        return offset;
    }
    const off_t at = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
    if (at >= 0) {
        return std::min(static_cast<std::uint64_t>(at), size_);
    }
    return errno == ENXIO ? size_ : offset;  // else: the file system does not know
}

bool disk_image::flush() {
    if (mode_ != image_mode::read_write || ::fdatasync(descriptor_) == 0) {
        return true;
    }
    note_write_error();
    return false;
}

void disk_image::note_write_error() { write_error_ = write_error_ == 0 ? errno : write_error_; }

}  // namespace pefsim::backend
