// SPDX-License-Identifier: Apache-2.0
#include "platform/power/guest_console.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>

#include "output/standard_output.h"
#include "platform/power/escape_keys.h"
#include "platform/power/pseudo_terminal.h"
#include "platform/power/raw_terminal.h"

namespace pefsim::platform {
namespace {

using std::chrono::milliseconds;

/// What can be read from `descriptor` now, or within `wait`. Nothing at its end.
std::string read_from(int descriptor, milliseconds wait) {
    std::array<char, 4096> keys{};
    pollfd one{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, static_cast<int>(wait.count())) <= 0 || (one.revents & POLLIN) == 0) {
        return {};
    }
    const ssize_t count = ::read(descriptor, keys.data(), keys.size());
    return count <= 0 ? std::string() : std::string(keys.data(), static_cast<std::size_t>(count));
}

class standard_console final : public guest_console {
public:
    void write(std::string_view characters) override { output::standard_output::write(characters); }
};

class terminal_console final : public guest_console {
public:
    terminal_console() {
        if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
            throw std::invalid_argument(
                fmt::format("'terminal' needs standard input and output to be one; standard {} is not",
                            ::isatty(STDIN_FILENO) != 1 ? "input" : "output"));
        }
    }
    [[nodiscard]] bool interactive() const override { return true; }
    [[nodiscard]] bool takes_the_terminal() const override { return true; }
    std::string begin() override {
        raw_.emplace(STDIN_FILENO);
        return "Ctrl-A x ends the run, Ctrl-A h shows the keys";
    }
    void write(std::string_view characters) override { output::standard_output::write(characters); }
    input look(milliseconds wait) override {
        output::standard_output::flush();
        escape_keys::meaning found = keys_(read_from(STDIN_FILENO, wait));
        if (found.help) {
            output::standard_output::write(escape_keys::help);
        }
        return {.typed = std::move(found.typed), .end = found.end};
    }
    void end() override { raw_.reset(); }

private:
    escape_keys keys_;
    std::optional<raw_terminal> raw_;
};

class pty_console final : public guest_console {
public:
    [[nodiscard]] bool interactive() const override { return true; }
    std::string begin() override { return fmt::format("console at {}", terminal_->name()); }
    void write(std::string_view characters) override { terminal_->write(characters); }
    input look(milliseconds wait) override {
        terminal_->flush();
        return {.typed = read_from(terminal_->descriptor(), wait)};
    }
    void end() override { terminal_.reset(); }

private:
    std::optional<pseudo_terminal> terminal_{std::in_place};
};

class file_console final : public guest_console {
public:
    explicit file_console(const std::filesystem::path& file) : file_("console", file) {}
    void write(std::string_view characters) override { file_.write(characters); }
    [[nodiscard]] output::whole_file* file() override { return &file_; }

private:
    output::whole_file file_;
};

}  // namespace

std::optional<std::filesystem::path> guest_console::file_of(const std::string& option) {
    return option.empty() || option == "terminal" || option == "pty"
               ? std::nullopt
               : std::optional<std::filesystem::path>(option);
}

std::unique_ptr<guest_console> guest_console::open(const std::string& option) {
    try {
        if (const auto file = file_of(option)) {
            return std::make_unique<file_console>(*file);
        }
        if (option == "terminal") {
            return std::make_unique<terminal_console>();
        }
        if (option == "pty") {
            return std::make_unique<pty_console>();
        }
    } catch (const std::system_error& error) {
        throw std::invalid_argument(fmt::format("'{}': {}", option, error.code().message()));
    }
    return std::make_unique<standard_console>();
}

guest_console::input guest_console::look(milliseconds /*wait*/) { return {}; }

}  // namespace pefsim::platform
