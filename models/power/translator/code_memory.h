// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pefsim::power::host_code {

/// Memory for code of the host, never writable and executable at once. It is filled from its beginning, and given back
/// as a whole.
class code_memory {
public:
    /// \throws std::bad_alloc
    explicit code_memory(std::size_t bytes);
    ~code_memory();
    code_memory(const code_memory&) = delete;
    code_memory& operator=(const code_memory&) = delete;

    /// Where the next piece will stand.
    [[nodiscard]] std::uint64_t next() const;
    [[nodiscard]] std::size_t left() const { return size_ - used_; }
    [[nodiscard]] std::size_t used() const { return used_; }
    /// Copies a piece there. No code of it may be running. False: the host refuses to make it executable.
    bool append(std::span<const std::byte> code);
    /// Forgets everything behind the first `bytes`.
    void keep(std::size_t bytes);

private:
    std::byte* begin_ = nullptr;
    std::size_t size_ = 0;
    std::size_t used_ = 0;
};

}  // namespace pefsim::power::host_code
