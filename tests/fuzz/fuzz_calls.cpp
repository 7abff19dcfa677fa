// SPDX-License-Identifier: Apache-2.0
//
// Random system calls of a program: README.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "linux_user/process.h"
#include "tests/fuzz/call_case.h"
#include "tests/fuzz/containment.h"
#include "tests/fuzz/fuzz_driver.h"
#include "tests/linux_user/programs/tiny_program.h"

namespace {

using namespace pefsim;  // NOLINT(google-build-using-namespace)
using fuzz::call_argument;
using fuzz::fuzz_call;

constexpr std::size_t calls_in_a_case = 200;
constexpr int longest_case = 60;              // s
constexpr std::uint64_t most_work = 100'000;  // steps of the address space, of one call
constexpr std::uint64_t data_size = 0x80000;  // of a case
constexpr std::uint64_t path_area = 0x70000;  // in it: paths of arguments
constexpr std::string_view secret = "not the program's";

using sequences = std::vector<std::vector<fuzz_call>>;

/// One case: a process, its calls, and what must hold behind each.
class play {
public:
    play(const fuzz::fuzz_options& how, const sequences& known, std::uint64_t number)
        : list_(how.list),
          calls_(fuzz::call_maker(how.seed * 1'000'003 + number, known).make(calls_in_a_case)) {
        config_.program = "fuzz";
        config_.arguments = {"fuzz"};
        config_.memory = {.page_size = number % 2 == 0 ? 65536U : 4096U, .bytes = std::uint64_t{64} << 20};
        config_.stack_size = 1 << 20;
        config_.hears_outside = false;
        config_.inherited = {0, 1};
        const int file = ::memfd_create("reserved", MFD_CLOEXEC);
        if (::write(file, secret.data(), secret.size()) == std::ssize(secret) &&
            ::lseek(file, 0, SEEK_SET) == 0) {
            reserved_ = ::fcntl(file, F_DUPFD_CLOEXEC, 499);
        }
        ::close(file);
    }

    bool fails() {
        linux_user::process process(config_, image_);
        const auto data = process.memory.find_free(data_size);
        if (!data || process.memory.map(*data, data_size, 3, {}) != 0) {
            return true;
        }
        data_ = *data;
        for (std::size_t i = 0; i < calls_.size() && !process.ended(); ++i) {
            if (!make(process, calls_[i])) {
                fmt::print(stderr, "call {}: {}\n", i, to_text(calls_[i]));
                return true;
            }
        }
        return false;
    }

private:
    bool make(linux_user::process& process, const fuzz_call& call) {
        linux_user::system_call_arguments arguments{};
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            arguments[i] = value(process, call.arguments[i], i);
        }
        if (fuzz::is_left_out(call.number, arguments)) {
            results_.push_back(0);
            return true;
        }
        const std::uint64_t before = process.memory.work();
        const std::int64_t result = linux_user::call_system(process, call.number, arguments);
        if (list_) {
            fmt::print(stderr, "{} = {}\n", to_text(call), result);
        }
        results_.push_back(static_cast<std::uint64_t>(result));
        process.signals.deliver();
        if (process.memory.work() - before > most_work) {
            fmt::print(stderr, "{} steps in one call\n", process.memory.work() - before);
            return false;
        }
        return is_reserved_untouched(process);
    }

    std::uint64_t value(linux_user::process& process, const call_argument& of, std::size_t place) const {
        const std::uint64_t path_at = data_ + path_area + place * 0x1000;
        switch (of.what) {
        case call_argument::kind::place:
            return data_ + of.value;
        case call_argument::kind::path:
            // What the program has unmapped or protected it cannot pass.
            static_cast<void>(process.memory.write_bytes(
                path_at, std::as_bytes(std::span(of.text.c_str(), of.text.size() + 1))));
            return path_at;
        case call_argument::kind::result:
            return of.value < results_.size() ? results_[of.value] : of.value;
        default:
            return of.value;
        }
    }

    [[nodiscard]] bool is_reserved_untouched(const linux_user::process& process) const {
        struct ::stat about {};
        std::string text(secret.size() + 1, '\0');
        const bool same = ::fstat(reserved_, &about) == 0 && about.st_size == std::ssize(secret) &&
                          ::lseek(reserved_, 0, SEEK_CUR) == 0 &&
                          ::pread(reserved_, text.data(), text.size(), 0) == std::ssize(secret) &&
                          text.starts_with(secret) && process.descriptors.is_reserved(reserved_);
        if (!same) {
            fmt::print(stderr, "a reserved descriptor has been reached\n");
        }
        return same;
    }

    bool list_;
    std::vector<fuzz_call> calls_;
    linux_user::process::config config_;
    power::elf_image image_{testing::tiny_program({0x44000002})};
    int reserved_ = -1;
    std::uint64_t data_ = 0;
    std::vector<std::uint64_t> results_;
};

void nothing(int /*signal*/) {}

/// What waits in the host is interrupted: the case goes on.
void interrupt_waits() {
    struct sigaction action {};
    action.sa_handler = nothing;
    ::sigaction(SIGALRM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    const ::itimerval often{{0, 100'000}, {0, 100'000}};
    ::setitimer(ITIMER_REAL, &often, nullptr);
}

int run(const fuzz::fuzz_options& how, const std::string& corpus) {
    sequences known;
    std::ranges::transform(fuzz::files_of(corpus), std::back_inserter(known), fuzz::read_calls);
    const fuzz::contained done = fuzz::run_contained([&] {
        const auto fails = [&](std::uint64_t number) {
            interrupt_waits();
            return play(how, known, number).fails();
        };
        return fuzz::play_apart(how, 1, longest_case, fails).failed == 0 ? 0 : 1;
    });
    if (!done.possible) {
        fmt::print(stderr, "fuzz_calls: nothing done: {}\n", done.obstacle);
        return 77;
    }
    return done.status;
}

}  // namespace

int main(int argc, char** argv) {
    std::string corpus = fuzz::corpus("calls");
    fuzz::fuzzer self{.name = "fuzz_calls",
                      .usage = "fuzz_calls [OPTION...]: random system calls of a program, in a containment",
                      .cases = 150,
                      .list = "each call"};
    self.own.add_options()("corpus", boost::program_options::value(&corpus), "directory of call sequences");
    self.run = [&corpus](const fuzz::fuzz_options& how) { return run(how, corpus); };
    return fuzz::main_of(argc, argv, self);
}
