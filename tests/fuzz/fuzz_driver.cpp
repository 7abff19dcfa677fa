// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz_driver.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "tests/fuzz/case_watch.h"

namespace pefsim::fuzz {
namespace {

namespace po = boost::program_options;
using std::chrono::steady_clock;

/// Asked before each case, or before some of them: is it to be played?
class case_loop {
public:
    explicit case_loop(const fuzz_options& how) : how_(how) {}

    [[nodiscard]] std::uint64_t first() const { return how_.only.value_or(0); }
    [[nodiscard]] bool goes_on(std::uint64_t number) const {
        if (how_.only) {
            return number == *how_.only;
        }
        const std::chrono::duration<double> spent = steady_clock::now() - start_;
        return how_.seconds > 0 ? spent.count() < how_.seconds : number < how_.cases;
    }
    /// The end of `count` cases from `number` on, or of fewer where there are no more.
    [[nodiscard]] std::uint64_t end(std::uint64_t number, std::uint64_t count) const {
        if (how_.only) {
            return number + 1;
        }
        return how_.seconds > 0 ? number + count : std::min(number + count, how_.cases);
    }

private:
    const fuzz_options& how_;
    steady_clock::time_point start_ = steady_clock::now();
};

/// The case that a process is at, which its parent sees, too.
class shared_number {
public:
    shared_number()
        : page_(::mmap(nullptr, sizeof(value), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        if (page_ == MAP_FAILED) {
            throw std::system_error(errno, std::generic_category(), "no shared memory");
        }
        now_ = new (page_) value{0};
    }
    ~shared_number() { ::munmap(page_, sizeof(value)); }
    shared_number(const shared_number&) = delete;
    shared_number& operator=(const shared_number&) = delete;

    void set(std::uint64_t number) { now_->store(number); }
    [[nodiscard]] std::uint64_t get() const { return now_->load(); }

private:
    using value = std::atomic<std::uint64_t>;
    static_assert(value::is_always_lock_free);
    void* page_;
    value* now_ = nullptr;
};

/// CPU time of another process.
std::chrono::nanoseconds cpu_time_of(pid_t process) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) {
        return {};
    }
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

/// \returns how the process ended, in words: empty when it found nothing. A case hangs when it computes for so long, or
/// waits for much longer: a busy machine is no fault of it.
std::string end_of(pid_t child, const shared_number& now, int hang_seconds) {
    constexpr useconds_t nap = 200;  // us
    constexpr int patience = 4;
    const std::chrono::seconds limit(hang_seconds);
    std::uint64_t seen = now.get();
    auto since = steady_clock::now();
    auto used = cpu_time_of(child);
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) != child) {
        if (seen != now.get()) {
            seen = now.get();
            since = steady_clock::now();
            used = cpu_time_of(child);
        }
        if (steady_clock::now() - since > limit &&
            (cpu_time_of(child) - used > limit || steady_clock::now() - since > patience * limit)) {
            ::kill(child, SIGKILL);
            ::waitpid(child, &status, 0);
            return fmt::format("hangs for {} s", hang_seconds);
        }
        ::usleep(nap);
    }
    if (WIFSIGNALED(status)) {
        return ::strsignal(WTERMSIG(status));
    }
    return status == 0 ? "" : fmt::format("exit status {}", WEXITSTATUS(status));
}

po::options_description options_of(const fuzzer& what, fuzz_options& how) {
    po::options_description known(what.usage);
    auto add = known.add_options();
    add("help", "this text");
    add("seed", po::value(&how.seed)->default_value(how.seed), "of all cases");
    add("case", po::value<std::uint64_t>()->notifier([&how](std::uint64_t number) { how.only = number; }),
        "this one alone");
    if (what.cases != 0) {
        add("cases", po::value(&how.cases)->default_value(what.cases), "so many, from 0 on");
        add("seconds", po::value(&how.seconds), "as many cases as fit into them, in place of a number");
    }
    if (!what.list.empty()) {
        add("list", po::bool_switch(&how.list), what.list.c_str());
    }
    known.add(what.own);
    return known;
}

}  // namespace

std::string fuzz_options::command(std::uint64_t number) const {
    return fmt::format("{} --seed {} --case {}", program, seed, number);
}

int main_of(int argc, char** argv, const fuzzer& what) {
    try {
        fuzz_options how;
        how.program = what.name;
        const po::options_description known = options_of(what, how);
        po::positional_options_description positions;
        if (!what.positional.empty()) {
            positions.add(what.positional.c_str(), 1);
        }
        po::variables_map given;
        po::store(po::command_line_parser(argc, argv).options(known).positional(positions).run(), given);
        if (given.contains("help")) {
            std::cout << known;
            return 0;
        }
        po::notify(given);
        return what.run(how);
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}: {}\n", what.name, error.what());
        return 2;
    }
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

bool fails(std::string_view command, int hang_seconds, const std::function<complaints()>& play) {
    begin_case(command, hang_seconds);
    complaints found;
    try {
        found = play();
    } catch (const std::exception& error) {
        found.push_back(fmt::format("thrown: {}", error.what()));
    }
    if (!found.empty()) {
        for (const std::string& each : found) {
            fmt::print("{}\n", each);
        }
        std::fflush(stdout);
        name_case();
    }
    return !found.empty();
}

case_count play_cases(const fuzz_options& how, int hang_seconds,
                      const std::function<complaints(std::uint64_t)>& play) {
    watch_for_crashes();
    const case_loop loop(how);
    case_count count;
    for (std::uint64_t number = loop.first(); count.failed < most_failures && loop.goes_on(number);
         ++number) {
        count.failed += fails(how.command(number), hang_seconds, [&] { return play(number); }) ? 1 : 0;
        ++count.played;
    }
    return count;
}

case_count play_apart(const fuzz_options& how, std::uint64_t at_once, int hang_seconds,
                      const std::function<bool(std::uint64_t)>& fails) {
    const case_loop loop(how);
    shared_number now;
    const auto play = [&](std::uint64_t first, std::uint64_t end) {
        try {
            for (std::uint64_t number = first; number != end; ++number) {
                now.set(number);
                if (fails(number)) {
                    return 1;
                }
            }
            return 0;
        } catch (const std::exception& error) {
            fmt::print(stderr, "thrown: {}\n", error.what());
            return 1;
        }
    };
    case_count count;
    for (std::uint64_t first = loop.first(); count.failed == 0 && loop.goes_on(first);) {
        const std::uint64_t end = loop.end(first, at_once);
        now.set(first);
        std::fflush(nullptr);
        const pid_t child = ::fork();
        if (child < 0) {
            throw std::system_error(errno, std::generic_category(), "no process for cases");
        }
        if (child == 0) {
            const int status = play(first, end);
            std::fflush(nullptr);
            std::_Exit(status);
        }
        if (const std::string wrong = end_of(child, now, hang_seconds); !wrong.empty()) {
            fmt::print(stderr, "{}\nfailed: {}\n", wrong, how.command(now.get()));
            count.failed = 1;
        }
        count.played += (count.failed == 0 ? end : now.get() + 1) - first;
        first = end;
    }
    return count;
}

std::filesystem::path corpus(std::string_view name) {
    return std::filesystem::path(PEFSIM_FUZZ_CORPUS) / name;
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    std::error_code unreadable;
    std::ranges::copy(std::filesystem::directory_iterator(directory, unreadable), std::back_inserter(files));
    if (unreadable || files.empty()) {
        throw std::invalid_argument(fmt::format("{}: no directory with files", directory.string()));
    }
    std::ranges::sort(files);
    return files;
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream from(file, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(from)), {});
    if (!from) {
        throw std::invalid_argument(fmt::format("{}: cannot be read", file.string()));
    }
    return content;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::istringstream content(content_of(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(content, line);) {
        if (!line.empty() && !line.starts_with('#')) {
            lines.push_back(line);
        }
    }
    if (lines.empty()) {
        throw std::invalid_argument(fmt::format("{}: holds nothing", file.string()));
    }
    return lines;
}

}  // namespace pefsim::fuzz
