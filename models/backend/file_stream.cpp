// SPDX-License-Identifier: Apache-2.0
#include "backend/file_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pefsim::backend {

file_stream::file_stream(const std::filesystem::path& output, std::string input)
    : file_(output.empty() ? nullptr : std::make_unique<output::whole_file>("console file", output)),
      input_(std::move(input)) {}

file_stream::~file_stream() {
    try {
        commit();
    } catch (const output::write_error&) {
        // Whoever wants to know calls commit().
    }
}

std::size_t file_stream::read(std::span<std::byte> to) {
    const std::size_t size = std::min(to.size(), input_.size() - taken_);
    std::memcpy(to.data(), input_.data() + taken_, size);
    taken_ += size;
    return size;
}

void file_stream::write(std::span<const std::byte> from) {
    if (file_) {
        file_->write(from);
    }
}

void file_stream::commit() {
    if (const auto file = std::exchange(file_, nullptr)) {
        file->commit();
    }
}

}  // namespace pefsim::backend
