// SPDX-License-Identifier: Apache-2.0
//
// fuzz_inputs: command lines and TOML files for every scenario binary, in one process. See README.md. Exit status: 0
// nothing found, 1 a case failed, 2 bad command line.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz_driver.h"

// The main() of each scenario, under a name of its own (CMakeLists.txt).
extern "C" {
int bare_metal_main(int argc, char** argv);
int direct_block_main(int argc, char** argv);
int direct_in_secure_guest_main(int argc, char** argv);
int dma_ops_compare_main(int argc, char** argv);
int iommu_block_main(int argc, char** argv);
int swiotlb_block_main(int argc, char** argv);
int swiotlb_net_main(int argc, char** argv);
int swiotlb_pressure_main(int argc, char** argv);
int user_program_main(int argc, char** argv);
}

namespace pefsim::fuzz {
namespace {

namespace fs = std::filesystem;

struct scenario {
    std::string_view name;
    int (*main)(int argc, char** argv);
};
constexpr std::array scenarios{
    scenario{"bare_metal", &bare_metal_main},
    scenario{"direct_block", &direct_block_main},
    scenario{"direct_in_secure_guest", &direct_in_secure_guest_main},
    scenario{"dma_ops_compare", &dma_ops_compare_main},
    scenario{"iommu_block", &iommu_block_main},
    scenario{"swiotlb_block", &swiotlb_block_main},
    scenario{"swiotlb_net", &swiotlb_net_main},
    scenario{"swiotlb_pressure", &swiotlb_pressure_main},
    scenario{"user_program", &user_program_main},
};

/// What a user sees of a run.
struct outcome {
    int status = 0;
    std::string output;
    std::string error;
};

/// A descriptor whose content is kept, in place of a standard one.
class captured {
public:
    explicit captured(int descriptor)
        : descriptor_(descriptor),
          before_(::dup(descriptor)),
          memory_(::memfd_create("captured", 0)) {
        ::dup2(memory_, descriptor);
    }
    ~captured() {
        ::dup2(before_, descriptor_);
        ::close(before_);
        ::close(memory_);
    }
    captured(const captured&) = delete;
    captured& operator=(const captured&) = delete;

    [[nodiscard]] std::string content() const {
        std::string text(static_cast<std::size_t>(::lseek(memory_, 0, SEEK_END)), '\0');
        text.resize(
            static_cast<std::size_t>(std::max<ssize_t>(0, ::pread(memory_, text.data(), text.size(), 0))));
        return text;
    }

private:
    int descriptor_;
    int before_;
    int memory_;
};

outcome run(const scenario& what, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{std::string(what.name)};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    outcome seen;
    const captured output(STDOUT_FILENO);
    const captured error(STDERR_FILENO);
    try {
        seen.status = what.main(static_cast<int>(words.size()), argv.data());
    } catch (const std::exception& escaped) {
        seen.status = -1;
        seen.error = fmt::format("an exception left main(): {}", escaped.what());
        return seen;
    }
    seen.output = output.content();
    seen.error = error.content();
    return seen;
}

// --- what may be written on a command line, as --help tells it

struct parameter {
    std::string name;
    std::vector<std::string> words;  ///< what it seems to take
};

std::vector<parameter> parameters_of(const scenario& what) {
    std::vector<parameter> found;
    const std::string help = run(what, {"--help"}).output;
    for (std::size_t at = help.find("\n  --"); at != help.npos; at = help.find("\n  --", at + 1)) {
        const std::size_t begin = at + 5;
        const std::size_t end = help.find_first_of(" \n", begin);
        const std::size_t next = std::min(help.find("\n  --", begin), help.size());
        parameter one{.name = help.substr(begin, end - begin), .words = {}};
        const std::string text = help.substr(end, next - end);
        if (const std::size_t open = text.rfind('[');
            open != text.npos && text.find(']', open) != text.npos) {
            one.words.push_back(text.substr(open + 1, text.find(']', open) - open - 1));
        }
        if (const std::size_t open = text.rfind(" (");
            open != text.npos && text.find('|', open) != text.npos) {
            std::string choices = text.substr(open + 2, text.find(')', open) - open - 2);
            std::erase_if(choices, [](char c) { return c == ' ' || c == '\n'; });  // of a broken line
            for (std::size_t bar = 0; bar != choices.npos;
                 choices.erase(0, bar == choices.npos ? bar : bar + 1)) {
                bar = choices.find('|');
                one.words.push_back(choices.substr(0, bar));
            }
        }
        found.push_back(std::move(one));
    }
    return found;
}

const std::vector<std::string> values{
    "",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "64",
    "65",
    "255",
    "4096",
    "65535",
    "65536",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e-308",
    "1e-18",
    "1e17",
    "nan",
    "inf",
    "-0",
    "0.5",
    "0x10",
    "0x",
    "0xffffffffffffffff",
    "yes",
    "no",
    "true",
    "maybe",
    "512",
    "512B",
    "4KiB",
    "64KiB",
    "1MiB",
    "1GiB",
    "64GiB",
    "1TiB",
    "8388607TiB",
    "0B",
    "1ps",
    "1ns",
    "10us",
    "1ms",
    "1s",
    "1e6s",
    "0s",
    "none",
    "direct",
    "swiotlb",
    "iommu",
    "512,4KiB",
    "1,2,3",
    ",",
    "0:1",
    "1:0",
    ":",
    "0x0:0xfff",
    "1us:2us",
    "disk.img@0",
    "disk.img@0x100000",
    "disk.img@0xffffffffffffff00",
    "@",
    "r3=1",
    "r99=1",
    "msr=0x400000",
    "msr=0xffffffffffffffff",
    "pc=4",
    "vs0=0x0123456789abcdef0123456789abcdef",
    "=",
    "lpcr=0xffffffffffffffff",
    "trap",
    "trap,attn,illegal",
    "disk.img",
    "odd.img",
    "empty",
    "directory",
    "fifo",
    "missing",
    "new.json",
    "new.fst",
    "new.vcd",
    "new.img",
    "fuzz.toml",
    "link",
    "dangling",
    "loop",
    "directory/new",
    "/dev/null",
    "/dev/full",
    "/dev/zero",
    "/",
    "-",
    "--",
    "program",
    "elf",
    "\xff\xfe",
    "0x400000",
    "0x8000000000400000",
    "0xffffffffffffffff",
    "eight letters",
};

class generator {
public:
    generator(std::uint64_t seed, std::uint64_t number) : random_(seed * 0x9e37'79b9'7f4a'7c15 + number) {}

    std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
    bool one_in(std::size_t count) { return below(count) == 0; }
    template <class T>
    const T& one_of(const std::vector<T>& list) {
        return list[below(list.size())];
    }

    /// Bytes that differ a little from `text`.
    std::string mutated(std::string text) {
        for (std::size_t change = 1 + below(3); change != 0; --change) {
            const std::size_t at = below(text.size() + 1);
            switch (below(6)) {
            case 0:
                text.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 1:
                text.insert(at, one_of(values));
                break;
            case 2:
                text.erase(std::min(at, text.size()), 1 + below(8));
                break;
            case 3:
                text.insert(at, text.substr(below(text.size() + 1), below(64)));
                break;
            case 4:
                if (!text.empty()) {
                    text[below(text.size())] = static_cast<char>(below(256));
                }
                break;
            default:
                text.insert(at, 1 + below(one_in(50) ? 100'000 : 20), "a0.[{\"-/="[below(9)]);
                break;
            }
        }
        return text;
    }

    std::string value(const parameter& of) {
        const std::string& known = of.words.empty() || one_in(2) ? one_of(values) : one_of(of.words);
        return one_in(4) ? harmless(mutated(known)) : known;
    }
    /// As a word of a command line, and as a file outside the directory of this run that nobody has named.
    static std::string harmless(std::string text) {
        std::erase(text, '\0');
        for (std::size_t up = text.find(".."); up != text.npos; up = text.find("..")) {
            text.erase(up, 1);
        }
        if (text.starts_with('/') && std::ranges::find(values, text) == values.end()) {
            text.erase(0, text.find_first_not_of('/'));
        }
        return text;
    }

private:
    std::mt19937_64 random_;
};

/// Files that a case may name, in the working directory.
void furnish(const std::string& toml) {
    std::ofstream("disk.img", std::ios::trunc) << std::string(4096, '\x38');
    std::ofstream("odd.img", std::ios::trunc) << "odd";
    std::ofstream("empty", std::ios::trunc);
    std::ofstream("fuzz.toml", std::ios::trunc) << toml;
    std::error_code ignored;
    fs::create_directory("directory", ignored);
    fs::create_symlink("disk.img", "link", ignored);
    fs::create_symlink("nowhere", "dangling", ignored);
    fs::create_symlink("loop", "loop", ignored);
    ::mkfifo("fifo", 0600);
}

struct fuzz_case {
    const scenario* of = nullptr;
    std::vector<std::string> arguments;
    std::string toml;
};

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return result + "\"";
}

std::string toml_text(generator& from, const std::vector<parameter>& known,
                      const std::vector<std::string>& corpus) {
    if (from.one_in(2)) {
        return from.mutated(from.one_of(corpus));
    }
    std::string text;
    for (std::size_t line = from.below(4); line != 0; --line) {
        const parameter& one = from.one_of(known);
        const std::string value = from.value(one);
        text += fmt::format("{} = {}\n", one.name, from.one_in(3) ? value : quoted(value));
    }
    return from.one_in(4) ? from.mutated(text) : text;
}

fuzz_case make_case(std::uint64_t seed, std::uint64_t number,
                    const std::vector<std::vector<parameter>>& known,
                    const std::vector<std::string>& corpus) {
    generator from(seed, number);
    const std::size_t which = from.below(scenarios.size());
    fuzz_case made{.of = &scenarios[which], .arguments = {}, .toml = {}};
    made.toml = toml_text(from, known[which], corpus);
    bool waits = false;
    for (std::size_t count = from.below(5); count != 0; --count) {
        const parameter& one = from.one_of(known[which]);
        if (one.name == "help" && !from.one_in(20)) {
            continue;
        }
        waits = waits || one.name == "gdb";
        std::string name = from.one_in(30) ? generator::harmless(from.mutated(one.name)) : one.name;
        const std::string value = from.value(one);
        switch (from.below(one.words.empty() ? 6 : 4)) {
        case 0:
            made.arguments.push_back(fmt::format("--{}={}", name, value));
            break;
        case 1:
            made.arguments.insert(made.arguments.end(), {"--set", fmt::format("{}={}", name, value)});
            break;
        case 4:
            made.arguments.push_back(fmt::format("--{}", name));
            break;
        default:
            made.arguments.insert(made.arguments.end(), {fmt::format("--{}", name), value});
            break;
        }
    }
    if (made.of->name == "user_program") {
        if (!from.one_in(10)) {
            made.arguments.push_back(from.one_in(2) ? "disk.img" : generator::harmless(from.one_of(values)));
        }
        return made;
    }
    if (made.of->name == "bare_metal" && from.one_in(2)) {
        made.arguments.insert(made.arguments.end(), {"--load", "disk.img@0", "--pc", "0"});
    }
    if (from.one_in(3)) {
        made.arguments.insert(made.arguments.end(), {"--config", "fuzz.toml"});
    }
    // Most cases end when the machine stands; some run, for a moment. In front: behind an option that lacks its value
    // these would be the value.
    const bool mentions_gdb = waits || made.toml.find("gdb") != std::string::npos;
    if (mentions_gdb || !from.one_in(100)) {
        made.arguments.emplace(made.arguments.begin(), "--list-signals");
    } else {
        made.arguments.insert(made.arguments.begin(), {"--time_limit=1us", "--no-trace"});
    }
    return made;
}

/// The text without what AddressSanitizer says, once a process, of stacks that SystemC made: three lines, none a
/// finding.
std::string without_stack_notice(std::string text) {
    const std::size_t start = text.find("==WARNING: ASan is ignoring requested __asan_handle_no_return");
    if (start == std::string::npos) {
        return text;
    }
    const std::size_t line = text.rfind('\n', start);
    const std::size_t from = line == std::string::npos ? 0 : line + 1;
    std::size_t to = start;
    for (unsigned lines = 0; lines != 3 && to != text.size(); ++lines) {
        to = std::min(text.find('\n', to), text.size() - 1) + 1;
    }
    return text.erase(from, to - from);
}

std::string complaint(const fuzz_case& of, const outcome& seen) {
    const std::string error = without_stack_notice(seen.error);
    const bool one_line = error.size() > 1 && error.find('\n') == error.size() - 1;
    if (seen.status == 3 || seen.status < 0) {
        return seen.error;
    }
    if (seen.status == 2 && !(one_line && error.starts_with(fmt::format("{}: ", of.of->name)))) {
        return "exit status 2 is not explained in one line: " + error;
    }
    return "";
}

/// What all cases draw from.
struct material {
    std::vector<std::vector<parameter>> parameters;  ///< by scenario
    std::vector<std::string> corpus;
};

/// Plays a case in this process, and says on standard error what is wrong with it.
bool case_fails(const fuzz_options& how, std::uint64_t number, const material& from) {
    const fuzz_case what = make_case(how.seed, number, from.parameters, from.corpus);
    furnish(what.toml);
    const outcome seen = run(*what.of, what.arguments);
    const std::string failed = complaint(what, seen);
    if (how.only) {
        fmt::print("{} {}\nfuzz.toml:\n{}\nstatus {}\n{}{}", what.of->name, fmt::join(what.arguments, " "),
                   what.toml, seen.status, seen.output.substr(0, 1000), seen.error);
    }
    if (!failed.empty()) {
        fmt::print(stderr, "{} {}\n{}\n", what.of->name, fmt::join(what.arguments, " "), failed);
    }
    return !failed.empty();
}

int fuzz(const fuzz_options& how) {
    constexpr int hang_seconds = 120;  // of CPU time, for one case: under sanitizers some take half a minute
    constexpr std::uint64_t at_once = 500;
    material from;
    std::ranges::transform(files_of(corpus("inputs")), std::back_inserter(from.corpus), content_of);
    std::string directory = (fs::temp_directory_path() / "pefsim-fuzz-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) {
        throw std::runtime_error("no directory for the cases");
    }
    fs::current_path(directory);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    std::ranges::transform(scenarios, std::back_inserter(from.parameters), parameters_of);
    // SystemC keeps some memory of each simulation; and standard error is captured during a case, so that a crash is
    // the parent's to tell.
    const case_count count = play_apart(how, at_once, hang_seconds,
                                        [&](std::uint64_t number) { return case_fails(how, number, from); });
    fs::current_path("/");
    fs::remove_all(directory);
    if (count.failed == 0 && !how.only) {
        fmt::print("{} cases of seed {}: no input ends with exit status 3\n", count.played, how.seed);
    }
    return count.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    using namespace pefsim::fuzz;  // NOLINT(google-build-using-namespace)
    return main_of(argc, argv,
                   {.name = "fuzz_inputs", .usage = "fuzz_inputs [OPTION...]", .cases = 1000, .run = &fuzz});
}
