// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pefsim::platform {

/// A terminal that other programs open by its name (screen, minicom, expect), raw from the beginning.
///
/// It never waits: what nobody has read yet is kept, the latest MiB of it.
class pseudo_terminal {
public:
    static constexpr std::size_t kept = std::size_t{1} << 20;

    /// \throws std::system_error when the host has none
    pseudo_terminal();
    /// Gives a reader that reads a second to take what is kept.
    ~pseudo_terminal();
    pseudo_terminal(const pseudo_terminal&) = delete;
    pseudo_terminal& operator=(const pseudo_terminal&) = delete;

    /// "/dev/pts/3"
    [[nodiscard]] const std::string& name() const { return name_; }
    /// For poll(2): what is typed can be read from it.
    [[nodiscard]] int descriptor() const { return controller_; }
    void write(std::string_view characters);
    /// Hands on as much of what is kept as the terminal takes. \returns whether nothing is kept any more
    bool flush();

private:
    [[nodiscard]] bool all_read() const;

    int controller_ = -1;
    int terminal_ = -1;  // stays open, so that one who closes it is not the last
    std::string name_;
    std::string unread_;
};

}  // namespace pefsim::platform
