// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "output/whole_file.h"

namespace pefsim::platform {

/// Where the guest's virtual terminal leads to: who reads what it prints, and who types.
class guest_console {
public:
    /// What a user names: nothing (standard output), "terminal", "pty", or a file.
    ///
    /// | option     | what the guest prints                                | what is typed                      |
    /// |------------|------------------------------------------------------|------------------------------------|
    /// | (nothing)  | standard output                                      | nothing                            |
    /// | `terminal` | standard output, a terminal                          | standard input, the same, raw      |
    /// | `pty`      | a pseudo-terminal, which a line on standard error names | there                           |
    /// | FILE       | the file, at the end of the run; a FIFO or a device, at once | nothing                    |
    ///
    /// \throws std::invalid_argument when it cannot be
    static std::unique_ptr<guest_console> open(const std::string& option);
    /// The file that an option names, if it names one.
    static std::optional<std::filesystem::path> file_of(const std::string& option);

    virtual ~guest_console() = default;

    /// Somebody types while the run goes on, so that two runs need not be equal.
    [[nodiscard]] virtual bool interactive() const { return false; }
    /// It is the terminal where the user started the run: nobody else may write there.
    [[nodiscard]] virtual bool takes_the_terminal() const { return false; }
    /// Simulation begins. \returns a line that the user should see; empty: none
    virtual std::string begin() { return {}; }
    virtual void write(std::string_view characters) = 0;

    struct input {
        std::string typed{};
        bool end = false;  ///< the user wants the run to end
    };
    /// What has been typed since the last call. What was written before is on its way.
    /// \param wait for something to be typed, at most so long
    virtual input look(std::chrono::milliseconds wait);
    /// Simulation has ended: who was changed for it is as before.
    virtual void end() {}
    /// The file, to be committed; null: there is none.
    [[nodiscard]] virtual output::whole_file* file() { return nullptr; }
};

}  // namespace pefsim::platform
