// SPDX-License-Identifier: Apache-2.0
//
// conformance: executes random vectors of the instruction table on the engine and by vecrun on another processor, and
// compares the states afterwards bit for bit. See README.md. Exit status: 0 equal, 1 differences, 2 bad command line or
// environment.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "power/instructions/instruction_table.h"
#include "tests/conformance/describe.h"
#include "tests/conformance/engine_run.h"
#include "tests/conformance/exclusions.h"
#include "tests/conformance/generate.h"
#include "tests/conformance/known_differences.h"

namespace pefsim::conformance {
namespace {

using power::isa::instruction;

struct options {
    std::string rows = "*";
    std::uint64_t seed = 1;
    std::size_t vectors = 50;
    std::size_t inputs = 5;   ///< of an encoding
    std::size_t show = 1;     ///< differences of a row that are printed
    bool all = false;         ///< rows without semantics too
    bool exact = false;       ///< known differences count
    bool reasons = false;     ///< for how many vectors each known difference is needed
    bool translated = false;  ///< the engine executes host code of each group
    std::string runner = "qemu-ppc64le -cpu power9";
    std::string vecrun;
};

/// A directory that lasts as long as this.
class scratch_directory {
public:
    scratch_directory() {
        std::string name = std::filesystem::temp_directory_path() / "conformance-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no directory for temporary files");
        }
        path_ = name;
    }
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    [[nodiscard]] std::string file(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

struct row_vectors {
    const instruction* row = nullptr;
    std::vector<vectors> groups;
};

/// What vecrun makes of the vectors, in their order.
std::vector<vector_state> execute_elsewhere(const options& how, const scratch_directory& scratch,
                                            const std::vector<row_vectors>& batch) {
    const std::string in = scratch.file("vectors");
    const std::string out = scratch.file("results");
    std::size_t count = 0;
    {
        std::ofstream file(in, std::ios::binary);
        for (const row_vectors& row : batch) {
            for (const vectors& each : row.groups) {
                const auto write = [&file](const void* data, std::size_t size) {
                    file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
                };
                write(&each.group, sizeof each.group);
                write(each.inputs.data(), each.inputs.size() * sizeof(vector_state));
                count += each.inputs.size();
            }
        }
    }
    const std::string command = fmt::format("{} '{}' '{}' '{}'", how.runner, how.vecrun, in, out);
    const int status = std::system(
        command.c_str());  // NOLINT(cert-env33-c): the user says what runs the program
    std::vector<vector_state> results(count);
    std::ifstream file(out, std::ios::binary);
    const auto size = static_cast<std::streamsize>(count * sizeof(vector_state));
    if (status != 0 || !file.read(reinterpret_cast<char*>(results.data()), size)) {
        throw std::runtime_error(
            fmt::format("vecrun ended with status {} while it executed the vectors of {} .. {}: {}", status,
                        batch.front().row->mnemonic, batch.back().row->mnemonic, command));
    }
    return results;
}

struct totals {
    std::size_t rows = 0;
    std::size_t vectors = 0;
    std::size_t known = 0;
    std::size_t different = 0;
    std::size_t different_rows = 0;
    std::size_t known_results = 0;  ///< known differences of more than status registers
    std::vector<std::size_t> covered = std::vector<std::size_t>(known_differences().size());
};

/// True when a register other than CR, FPSCR and VSCR, storage, or the fault differs.
bool results_differ(const vector_state& a, const vector_state& b) {
    vector_state other = b;
    other.cr = a.cr;
    other.fpscr = a.fpscr;
    std::memcpy(other.vscr, a.vscr, sizeof other.vscr);
    return std::memcmp(&a, &other, sizeof other) != 0;
}

/// Compares one row; `theirs` begins with its results and is moved behind them.
void compare_row(const options& how, const row_vectors& row, engine_run& engine, const vector_state*& theirs,
                 totals& sum) {
    std::size_t count = 0;
    std::size_t known = 0;
    std::size_t different = 0;
    std::string shown;
    for (const vectors& each : row.groups) {
        const std::vector<vector_state> ours = engine.execute(each);
        for (std::size_t i = 0; i < ours.size(); ++i, ++theirs, ++count) {
            vector_state other = *theirs;
            other.tar = ours[i].tar;  // vecrun cannot tell
            const sample of{row.row, each.word(), &each.inputs[i], &ours[i], &other};
            if (std::memcmp(&ours[i], &other, sizeof other) == 0) {
                continue;
            }
            if (!how.exact && equal_but_for_known(of)) {
                ++known;
                sum.known_results += results_differ(ours[i], other) ? 1 : 0;
                for (const std::size_t number : how.reasons ? covering(of) : std::vector<std::size_t>()) {
                    ++sum.covered[number];
                }
            } else if (++different <= how.show) {
                shown += describe(of);
            }
        }
    }
    fmt::print("{:<12} {:6} vectors {:6} differences {:6} known\n{}", row.row->mnemonic, count, different,
               known, shown);
    sum.rows += 1;
    sum.vectors += count;
    sum.known += known;
    sum.different += different;
    sum.different_rows += different != 0 ? 1 : 0;
}

void run_batch(const options& how, const scratch_directory& scratch, const std::vector<row_vectors>& batch,
               engine_run& engine, totals& sum) {
    if (batch.empty()) {
        return;
    }
    const std::vector<vector_state> results = execute_elsewhere(how, scratch, batch);
    const vector_state* theirs = results.data();
    for (const row_vectors& row : batch) {
        compare_row(how, row, engine, theirs, sum);
    }
    std::fflush(stdout);
}

int run(const options& how) {
    constexpr std::size_t batch_vectors = 20'000;
    const scratch_directory scratch;
    engine_run engine(how.translated);
    totals sum;
    std::string without_semantics;
    std::vector<row_vectors> batch;
    std::size_t waiting = 0;
    for (const instruction& row : power::isa::instructions()) {
        if (!matches(how.rows, row.mnemonic) || !exclusion_of(row).empty()) {
            continue;
        }
        if (power::isa::selector_of(row) == nullptr && !how.all) {
            without_semantics += fmt::format(" {}", row.mnemonic);
            continue;
        }
        batch.push_back({&row, generate(row, how.seed, how.vectors, how.inputs)});
        waiting += how.vectors;
        if (waiting >= batch_vectors) {
            run_batch(how, scratch, batch, engine, sum);
            batch.clear();
            waiting = 0;
        }
    }
    run_batch(how, scratch, batch, engine, sum);
    if (!without_semantics.empty()) {
        fmt::print("no semantics yet:{}\n", without_semantics);
    }
    for (std::size_t i = 0; how.reasons && i < sum.covered.size(); ++i) {
        fmt::print("{:7} {}: {}\n", sum.covered[i], known_differences()[i].rows,
                   known_differences()[i].reason);
    }
    fmt::print("{} rows, {} vectors: {} differences in {} rows, {} known, {} of them in results\n", sum.rows,
               sum.vectors, sum.different, sum.different_rows, sum.known, sum.known_results);
    if (how.translated) {
        const auto [executed, translated] = engine.executed();
        fmt::print("{} of {} instructions executed in host code\n", translated, executed);
        if (translated == 0) {
            throw std::runtime_error("--translated: nothing was");
        }
    }
    return sum.different == 0 ? 0 : 1;
}

int main_of(int argc, char** argv) {
    namespace po = boost::program_options;
    options how;
    po::options_description known("conformance [OPTION...]");
    // clang-format off
    known.add_options()
        ("help", "this text")
        ("rows", po::value(&how.rows), "shell patterns of mnemonics as the table spells them, separated by blanks")
        ("seed", po::value(&how.seed), "of the random vectors")
        ("full", "2000 vectors of each row, 20 of an encoding; else 50, 5 of an encoding")
        ("vectors", po::value(&how.vectors), "of each row")
        ("inputs", po::value(&how.inputs), "of an encoding")
        ("show", po::value(&how.show), "so many differences of each row (1)")
        ("all", "rows without semantics too: the engine finds them illegal")
        ("reasons", "for how many vectors each known difference is needed")
        ("exact", "known differences count as differences")
        ("translated", "the engine makes host code of what it executes")
        ("runner", po::value(&how.runner), "command that executes vecrun (qemu-ppc64le -cpu power9)")
        ("vecrun", po::value(&how.vecrun)->required(), "the guest program");
    // clang-format on
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, known), given);
    if (given.contains("help")) {
        std::cout << known;
        return 0;
    }
    if (given.contains("full")) {
        how.vectors = 2000;
        how.inputs = 20;
    }
    po::notify(given);
    how.all = given.contains("all");
    how.reasons = given.contains("reasons");
    how.translated = given.contains("translated");
    how.exact = given.contains("exact");
    if (how.vectors == 0 || how.inputs == 0) {
        throw std::invalid_argument("--vectors and --inputs: at least 1");
    }
    return run(how);
}

}  // namespace
}  // namespace pefsim::conformance

int main(int argc, char** argv) {
    try {
        return pefsim::conformance::main_of(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "conformance: {}\n", error.what());
        return 2;
    }
}
