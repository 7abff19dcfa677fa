// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What all fuzzers do alike: the command line, the loop over the cases, and the words that play a case again.
namespace pefsim::fuzz {

struct fuzz_options {
    std::string program;  ///< and its own words that choose the cases, such as "fuzz_debug gdb"
    std::uint64_t seed = 1;
    std::uint64_t cases = 0;            ///< so many, from number 0 on
    double seconds = 0;                 ///< as many cases as fit into so much time; 0: `cases` of them
    std::optional<std::uint64_t> only;  ///< this case alone
    bool list = false;                  ///< tell what a case does

    /// The command that plays a case again.
    [[nodiscard]] std::string command(std::uint64_t number) const;
};

struct fuzzer {
    std::string name;
    std::string usage;  ///< the first line of --help
    std::uint64_t cases =
        0;  ///< unless told otherwise; 0: cases are not what it counts, no --cases and no --seconds
    std::string list{};  ///< what --list prints; empty: there is no such option
    boost::program_options::options_description own{};  ///< options of this fuzzer alone
    std::string positional{};                           ///< the one of them that is named without its name
    std::function<int(const fuzz_options&)>
        run{};  ///< \returns the exit status: 0 nothing found, 1 a case failed
};

/// Reads the command line and runs the fuzzer. \returns the exit status, 2 behind one line if the command line, or a
/// file that it names, is bad
int main_of(int argc, char** argv, const fuzzer& what);

/// CPU time of this process.
double cpu_seconds();

/// What is wrong with a case, a line for each.
using complaints = std::vector<std::string>;

/// So many failed cases are enough.
constexpr std::uint64_t most_failures = 20;

/// Plays a case in this process. What is wrong with it is printed, an exception too, and `command` behind it.
/// \param hang_seconds of CPU time that it may take (case_watch.h)
bool fails(std::string_view command, int hang_seconds, const std::function<complaints()>& play);

struct case_count {
    std::uint64_t played = 0;
    std::uint64_t failed = 0;
};
/// Plays the cases that the options ask for, in this process.
case_count play_cases(const fuzz_options& how, int hang_seconds,
                      const std::function<complaints(std::uint64_t number)>& play);

/// Plays them in processes of their own, up to the first that fails: for cases that leave something behind, or that
/// case_watch.h cannot watch. A case that crashes, or takes `hang_seconds`, is named.
/// \param at_once cases of one process  \param fails says what is wrong on standard error
case_count play_apart(const fuzz_options& how, std::uint64_t at_once, int hang_seconds,
                      const std::function<bool(std::uint64_t number)>& fails);

/// A file or directory of tests/fuzz/corpus.
std::filesystem::path corpus(std::string_view name);

/// The files of a directory in the order of their names. \throws std::invalid_argument if there are none
std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory);

/// \throws std::invalid_argument if it cannot be read
std::string content_of(const std::filesystem::path& file);

/// The lines of a file that are neither empty nor a comment (#). \throws std::invalid_argument if there are none
std::vector<std::string> lines_of(const std::filesystem::path& file);

}  // namespace pefsim::fuzz
