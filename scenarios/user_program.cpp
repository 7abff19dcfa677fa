// SPDX-License-Identifier: Apache-2.0
#include "linux_user/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "linux_user/report.h"
#include "output/file_claims.h"
#include "output/help_text.h"
#include "output/standard_output.h"
#include "output/stop_request.h"
#include "output/terminal.h"
#include "output/version.h"
#include "output/whole_file.h"
#include "platform/parameter_set.h"
#include "platform/power/profile_file.h"
#include "platform/power/tool_options.h"
#include "power/debug/byte_channel.h"
#include "power/debug/elf_symbols.h"
#include "power/debug/symbols.h"
#include "power/debug/trace_recorder.h"
#include "power/elf_image.h"
#include "timing/timing.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr int not_written = 1;
constexpr int bad_input = 2;
constexpr int broken = 3;

constexpr std::string_view usage =
    R"(user_program: a static ppc64le Linux program on the POWER9 core: its output, its exit status.

The program reads and writes files, standard input, output and error of the host; its exit status is
that of this command, or 128 + N when signal N ended it. System calls that are not there (threads and
new processes among them) return ENOSYS and are named in the report. Exit status 2, and a line on
standard error: PROGRAM cannot be run, or an option is wrong; 1, and a line: a file could not be
written.

usage: user_program [options] PROGRAM [ARG...]

Options
)";

/// What it takes besides parameters.
struct option {
    std::string_view name;
    std::string_view value;  ///< empty: a switch
    std::string_view description;
};
constexpr std::array options{
    option{"help", "", "show this text (-h, too)"},
    option{"version", "", "show which pefsim this is"},
    option{"report", "FILE.json", "write what the run did: instructions, system calls, faults, the end"},
    option{"summary", "", "print the same on standard error, for people"},
    option{"trace", "FILE", "write a line for each system call"},
    option{"env", "NAME=VALUE", "set a variable of the program's environment, besides those of this command"},
    option{"empty-env", "", "pass no variable on, but those of --env"},
};

class user_program_scenario {
public:
    user_program_scenario() {
        using platform::quantity;
        parameters_.add("page-size", config_.memory.page_size, quantity::bytes, "bytes", "4KiB or 64KiB");
        parameters_.add("memory", config_.memory.bytes, quantity::bytes, "bytes",
                        "what the program may map in all");
        parameters_.add("stack", config_.stack_size, quantity::bytes, "bytes", "size of the stack");
        parameters_.add("seed", config_.seed, quantity::count, "number", "seed of getrandom() and AT_RANDOM");
        parameters_.add(
            "translator", translator_,
            "make host code of what is executed often; without it everything is interpreted, with the "
            "same results");
        parameters_.add("translator.eager", eager_,
                        "make it of what is executed for the first time: slow, a test of the translator");
        parameters_.add("host-time", config_.time.host,
                        "the host's clocks, not simulated ones that make runs equal");
        parameters_.add("start-time", start_seconds_, quantity::count, "s since 1970",
                        "simulated CLOCK_REALTIME at the start");
        parameters_.add("timing.cpu_cycle", cycle_ns_, "ns", "simulated time of an instruction");
        parameters_.add("instruction-limit", config_.instruction_limit, quantity::count, "instructions",
                        "SIGXCPU ends the program behind it; 0: never");
        tool_options_.declare(parameters_, [] { return 1U; });
    }

    int run(std::span<const char* const> arguments) {
        config_.inherited = linux_user::open_descriptors();
        if (!read_options(arguments)) {
            return 0;
        }
        check();
        const power::elf_image image = power::elf_image::read(config_.program);
        // What the host would do to pefsim is the program's to decide; and a full disk is an error of a write.
        output::stop_request::listen_for_program();
        open_outputs();
        linux_user::process process = load(image);
        if (tools_.any()) {
            process.look_with(std::move(tools_));
        }
        const linux_user::end_of_program end = process.run();
        if (!end.waits_in.empty()) {
            output::complain(fmt::format("user_program: {}: waits in {} for what cannot come",
                                         config_.program, end.waits_in));
        }
        if (process.tools()) {
            process.tools()->finish(end.status);
        }
        finish(process, image, end);
        return end.status;
    }

private:
    linux_user::process load(const power::elf_image& image) {
        try {
            return {config_, image};
        } catch (const std::invalid_argument& wrong) {
            throw std::invalid_argument(fmt::format("{}: {}", config_.program, wrong.what()));
        }
    }

    /// False: --help has been served.
    bool read_options(std::span<const char* const> arguments) {
        for (char** each = environ; *each != nullptr; ++each) {
            config_.environment.emplace_back(*each);
        }
        std::size_t i = 0;
        for (; i < arguments.size() && std::string_view(arguments[i]).starts_with('-'); ++i) {
            const std::string_view word = arguments[i];
            if (word == "--") {
                ++i;
                break;
            }
            const std::size_t equals = std::min(word.find('='), word.size());
            const std::string name = word == "-h" ? "help" : option_name(word.substr(0, equals));
            const auto* const row = std::ranges::find(options, name, &option::name);
            if (row != options.end() && row->value.empty() && equals != word.size()) {
                throw std::invalid_argument(fmt::format("--{}: it takes no value", name));
            }
            if (name == "help") {
                print_help();
                return false;
            }
            if (name == "version") {
                output::standard_output::write(fmt::format("user_program (pefsim) {}\n", output::version()));
                output::standard_output::check();
                return false;
            }
            if (name == "summary") {
                summary_ = true;
            } else if (name == "empty-env") {
                config_.environment.clear();
            } else {
                if (equals == word.size() && i + 1 == arguments.size()) {
                    throw std::invalid_argument(fmt::format("--{}: its value is missing", name));
                }
                set_option(name, equals == word.size() ? arguments[++i] : word.substr(equals + 1));
            }
        }
        if (i == arguments.size()) {
            throw std::invalid_argument("PROGRAM is missing: user_program [options] PROGRAM [ARG...]");
        }
        config_.program = arguments[i];
        config_.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
        return true;
    }

    void set_option(std::string_view name, std::string_view value) {
        if (name == "report") {
            report_file_ = value;
        } else if (name == "trace") {
            trace_file_ = value;
        } else if (name == "env") {
            set_variable(value);
        } else {
            parameters_.set(name, value);
        }
    }

    /// The name of the option or parameter that `word` means; `-` and `_` are the same.
    [[nodiscard]] std::string option_name(std::string_view word) const {
        const std::string_view typed = word.substr(std::min<std::size_t>(2, word.size()));
        std::vector<std::string> known;
        for (const option& each : options) {
            known.emplace_back(each.name);
        }
        for (const platform::parameter& each : parameters_.all()) {
            known.push_back(each.name);
        }
        const auto found = std::ranges::find(known, platform::folded(typed),
                                             [](const std::string& each) { return platform::folded(each); });
        if (!word.starts_with("--") || found == known.end()) {
            throw std::invalid_argument(
                platform::unknown_name("option", word.starts_with("--") ? typed : word, known));
        }
        return *found;
    }

    void set_variable(std::string_view text) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            throw std::invalid_argument(fmt::format("--env: '{}' is not NAME=VALUE", text));
        }
        std::erase_if(config_.environment,
                      [&](const std::string& each) { return each.starts_with(text.substr(0, equals + 1)); });
        config_.environment.emplace_back(text);
    }

    void check() {
        if (config_.memory.page_size != 4096 && config_.memory.page_size != 65536) {
            throw std::invalid_argument("page-size: 4KiB or 64KiB is allowed");
        }
        constexpr double longest_cycle = 1e6;
        if (!(cycle_ns_ >= 0.001 && cycle_ns_ <= longest_cycle)) {
            throw std::invalid_argument(
                fmt::format("timing.cpu_cycle: {} is not between 0.001 and 1e6", cycle_ns_));
        }
        constexpr std::uint64_t latest = std::uint64_t{1} << 32;
        if (start_seconds_ > latest) {
            throw std::invalid_argument(
                fmt::format("start-time: {} is more than {}", start_seconds_, latest));
        }
        if (!translator_) {
            config_.translator.reset();
        } else if (eager_) {
            config_.translator = power::region_translator::options::at_first_execution();
        }
        tool_options_.settle();
        config_.time.start_seconds = static_cast<std::int64_t>(start_seconds_);
        config_.time.instruction_picoseconds = static_cast<std::uint64_t>(cycle_ns_ * 1000 + 0.5);
    }

    void open_outputs() {
        output::file_claims claims;
        claims.add("PROGRAM", output::file_use::input, config_.program);
        claims.add("--report", output::file_use::output, report_file_);
        claims.add("--trace", output::file_use::output, trace_file_);
        parameters_.claim_files(claims);
        claims.check();
        constexpr int out_of_the_way = 500;  // programs count their descriptors from 0
        if (!report_file_.empty()) {
            report_.emplace("--report", report_file_, output::whole_file::access::late, out_of_the_way);
        }
        if (!trace_file_.empty()) {
            trace_.emplace("--trace", trace_file_, output::whole_file::access::sequential, out_of_the_way);
            config_.system_call_trace = ::fdopen(
                ::fcntl(trace_->descriptor(), F_DUPFD_CLOEXEC, out_of_the_way), "w");
        }
        open_tools(out_of_the_way);
    }

    void open_tools(int lowest_descriptor) {
        if (!tool_options_.profile().empty()) {
            profile_.emplace("--profile", tool_options_.profile(), output::whole_file::access::late,
                             lowest_descriptor);
        }
        tools_.profile_period = tool_options_.profile_period();
        tools_.window = tool_options_.window();
        tools_.trace_from = nanoseconds(tool_options_.trace_from());
        if (const auto& to = tool_options_.trace_to()) {
            tools_.trace_to = nanoseconds(*to);
        }
        if (!tool_options_.instruction_trace().empty()) {
            tools_.trace = std::make_unique<power::debug::trace_recorder>(
                tool_options_.instruction_trace().string(), 0, lowest_descriptor);
        }
        if (const auto& port = tool_options_.gdb_port()) {
            power::debug::local_listener listener(static_cast<std::uint16_t>(*port), lowest_descriptor);
            output::complain(
                fmt::format("user_program: waiting for GDB: target remote localhost:{}", listener.port()));
            tools_.debugger = listener.accept(true);
        }
    }

    static std::uint64_t nanoseconds(const sc_core::sc_time& time) {
        return static_cast<std::uint64_t>(time / sc_core::sc_time(1, sc_core::SC_NS));
    }

    /// \throws output::write_error with one line that names what could not be written
    void finish(linux_user::process& process, const power::elf_image& image,
                const linux_user::end_of_program& end) {
        nlohmann::ordered_json report = linux_user::make_report(process, image, end);
        std::vector<output::write_error> failures;
        const auto commit = [&failures](output::whole_file& file) {
            try {
                file.commit();
            } catch (const output::write_error& error) {
                failures.push_back(error);
            }
        };
        if (trace_) {
            const bool failed = std::ferror(config_.system_call_trace) != 0;
            if (std::fclose(config_.system_call_trace) != 0 || failed) {
                trace_->fail();
            }
            commit(*trace_);
        }
        if (process.tools()) {
            try {
                process.tools()->commit_trace();
            } catch (const output::write_error& error) {
                failures.push_back(error);
            }
        }
        if (profile_) {
            const power::debug::profile& profile = *process.tools()->profile();
            const power::debug::moved_symbols symbols = symbols_of(image, process.load_bias);
            profile_->write(platform::profile_text(tool_options_.format_of_profile(), profile, symbols,
                                                   std::filesystem::path(config_.program).filename().string(),
                                                   tool_options_.profile_functions()));
            commit(*profile_);
            report["profile"] = platform::profile_json(profile, symbols);
        }
        if (report_) {
            report_->write(report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
            commit(*report_);
        }
        if (summary_) {
            std::fputs(linux_user::report_text(report).c_str(), stderr);
        }
        if (!failures.empty()) {
            std::vector<std::string> lines;
            for (const output::write_error& each : failures) {
                lines.emplace_back(each.what());
            }
            throw output::write_error(fmt::format("{}", fmt::join(lines, "; ")), failures.front().file());
        }
    }

    /// Where the program stands.
    static power::debug::moved_symbols symbols_of(const power::elf_image& image, std::uint64_t bias) {
        constexpr std::uint64_t all = std::uint64_t{1} << 47;  // of a program's addresses
        return {power::debug::symbols_of(&image), {{.at = bias, .size = all - bias, .linked = 0}}};
    }

    void print_help() const {
        const std::size_t columns = output::columns_of(STDOUT_FILENO);
        std::string text(usage);
        for (const option& each : options) {
            text += output::option_row(fmt::format("--{} {}", each.name, each.value), each.description,
                                       columns);
        }
        text += "\nParameters (--NAME VALUE) [default]\n";
        for (const platform::parameter& each : parameters_.all()) {
            text += output::option_row(
                "--" + each.name, fmt::format("{} ({}) [{}]", each.description, each.unit, each.fallback),
                columns);
        }
        output::standard_output::write(text);
        output::standard_output::check();
    }

    linux_user::process::config config_;
    platform::parameter_set parameters_;
    std::uint64_t start_seconds_ = static_cast<std::uint64_t>(
        linux_user::program_clock::config().start_seconds);
    bool translator_ = true;
    bool eager_ = false;
    double cycle_ns_ = timing::timing().cpu_cycle_ns;
    std::filesystem::path report_file_;
    std::filesystem::path trace_file_;
    std::optional<output::whole_file> report_;
    std::optional<output::whole_file> trace_;
    platform::tool_options tool_options_;
    std::optional<output::whole_file> profile_;
    linux_user::program_tools::config tools_;
    bool summary_ = false;
};

int complain(std::string message, int status) {
    std::ranges::replace(message, '\n', ' ');
    output::complain(fmt::format("user_program: {}", message));
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
        return user_program_scenario().run(arguments.subspan(std::min<std::size_t>(1, arguments.size())));
    } catch (const output::write_error& error) {
        return complain(error.what(), not_written);
    } catch (const std::invalid_argument& error) {
        return complain(error.what(), bad_input);
    } catch (const std::exception& error) {
        return complain(fmt::format("internal error: {}", error.what()), broken);
    }
}
