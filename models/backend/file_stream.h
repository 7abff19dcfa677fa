// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "backend/character_stream_if.h"
#include "output/whole_file.h"

namespace pefsim::backend {

/// A character stream whose output is a file, and whose input is a text that is there from the beginning.
class file_stream final : public character_stream_if {
public:
    /// \param output where output goes; nowhere when empty  \throws std::invalid_argument when it cannot be written
    explicit file_stream(const std::filesystem::path& output, std::string input = {});
    /// The destructor commits, but keeps errors to itself.
    ~file_stream() override;
    file_stream(const file_stream&) = delete;
    file_stream& operator=(const file_stream&) = delete;

    void attach(character_device_if& /*device*/) override {}
    std::size_t read(std::span<std::byte> to) override;
    [[nodiscard]] bool has_input() const override { return taken_ < input_.size(); }
    void write(std::span<const std::byte> from) override;

    /// The last byte has been written: the file takes its place. Nothing happens the second time.
    /// \throws output::write_error when the host could not write all of it; there is no file then
    void commit();

private:
    std::unique_ptr<output::whole_file> file_;
    std::string input_;
    std::size_t taken_ = 0;
};

}  // namespace pefsim::backend
