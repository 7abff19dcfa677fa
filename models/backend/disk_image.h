// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backend/block_backend_if.h"
#include "backend/cluster_overlay.h"

namespace pefsim::backend {

/// How an image file is opened.
enum class image_mode : std::uint8_t {
    read_write,
    read_only,
    snapshot,  ///< writes stay in host memory and are lost at the end; the file is never written
};
constexpr std::string_view to_name(image_mode mode) {
    switch (mode) {
    case image_mode::read_write:
        return "read_write";
    case image_mode::read_only:
        return "read_only";
    case image_mode::snapshot:
        return "snapshot";
    }
    return "?";
}

/// A raw disk image: a regular file whose bytes are the disk's.
class disk_image final : public block_backend_if {
public:
    /// \throws std::invalid_argument, one line that names the file: it does not exist, cannot be opened in this mode,
    ///         is not a regular file, is empty, or its size is no multiple of 512 bytes
    /// \param known_as the name that id() gives, if it is not the file's
    disk_image(std::filesystem::path file, image_mode mode, const std::filesystem::path& known_as = {});
    ~disk_image() override;
    disk_image(const disk_image&) = delete;
    disk_image& operator=(const disk_image&) = delete;

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] bool read_only() const override { return mode_ == image_mode::read_only; }
    /// False as well when the file has become shorter than it was.
    bool read(std::uint64_t offset, std::span<std::byte> to) override;
    bool write(std::uint64_t offset, std::span<const std::byte> from) override;
    /// A hole in the file where the file system knows holes and `unmap` is set; else zeros are written.
    bool write_zeroes(std::uint64_t offset, std::uint64_t size, bool unmap) override;
    bool discard(std::uint64_t offset, std::uint64_t size) override;
    bool flush() override;
    /// Of a sparse file, without reading its holes.
    [[nodiscard]] std::uint64_t next_data(std::uint64_t offset) const override;
    [[nodiscard]] int write_error() const override { return write_error_; }
    /// The file's name without its directory, cut to 20 bytes.
    [[nodiscard]] std::string_view id() const override { return id_; }

    [[nodiscard]] const std::filesystem::path& file() const { return file_; }
    [[nodiscard]] image_mode mode() const { return mode_; }

private:
    [[nodiscard]] bool read_file(std::uint64_t offset, std::span<std::byte> to) const;
    bool write_file(std::uint64_t offset, std::span<const std::byte> from);

    /// fallocate() of the file. Nothing: the file system cannot; what it refused otherwise is noted.
    std::optional<bool> allocate(int mode, std::uint64_t offset, std::uint64_t size);
    bool fill_file_with_zeros(std::uint64_t offset, std::uint64_t size);
    bool zero_overlay(std::uint64_t offset, std::uint64_t size);

    void note_write_error();

    std::filesystem::path file_;
    image_mode mode_;
    int descriptor_ = -1;
    int write_error_ = 0;
    std::uint64_t size_ = 0;
    std::string id_;
    std::optional<cluster_overlay> overlay_;
};

}  // namespace pefsim::backend
