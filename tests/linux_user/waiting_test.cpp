// SPDX-License-Identifier: Apache-2.0
//
// Waiting for what cannot come, and for what can.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <string_view>
#include <vector>

#include "linux_user/process.h"
#include "linux_user/system_calls.h"
#include "tests/linux_user/programs/tiny_program.h"

namespace pefsim::linux_user {
namespace {

constexpr std::uint64_t zeros = testing::tiny_data;
constexpr std::uint64_t mask = testing::tiny_data + 0x100;  // a signal set
constexpr std::uint64_t timer = testing::tiny_data + 0x200;
constexpr std::uint64_t ends = testing::tiny_data + 0x300;  // of a pipe
constexpr std::uint64_t action = testing::tiny_data + 0x400;
constexpr std::uint64_t handler = testing::tiny_data + 0x500;
constexpr std::uint64_t files = testing::tiny_data + 0x600;
constexpr std::uint64_t space = testing::tiny_data + 0x1000;

class Waiting : public ::testing::Test {
protected:
    std::int64_t call(std::string_view name, const system_call_arguments& arguments) {
        const auto* const row = &*std::ranges::find(system_call_table(), name, &system_call_row::name);
        return call_system(process_, row->number, arguments);
    }
    template <typename T>
    void put(std::uint64_t at, const T& value) {
        ASSERT_TRUE(process_.memory.put(at, value));
    }
    void handle(int signal) {
        put(action, linux_abi::sigaction{.handler = handler});
        ASSERT_EQ(call("rt_sigaction", {static_cast<std::uint64_t>(signal), action, 0, 8}), 0);
    }
    void start_timer(std::int64_t seconds, std::int64_t interval = 0) {
        put(timer, std::array<std::int64_t, 4>{interval, 0, seconds, 0});
        ASSERT_EQ(call("setitimer", {0, timer, 0}), 0);
    }
    std::array<int, 2> pipe() {
        EXPECT_EQ(call("pipe", {ends}), 0);
        std::array<int, 2> both{};
        EXPECT_TRUE(process_.memory.get(ends, both));
        return both;
    }

    power::elf_image image_{testing::tiny_program({0x44000002})};
    process::config config_;
    process process_{config_, image_};
};

struct vain {
    std::string_view call;
    system_call_arguments arguments;
};

TEST_F(Waiting, EndsWhenNothingCanCome) {
    const vain cases[] = {
        {"pause", {}},
        {"futex", {zeros, 0, 0, 0}},
        {"futex", {zeros, 128, 0, 0}},
        {"poll", {0, 0, 0xffff'ffff}},
        {"ppoll", {0, 0, 0, 0, 8}},
        {"ppoll", {0, 0, 0, mask, 8}},
        {"select", {0, 0, 0, 0, 0}},
        {"pselect6", {0, 0, 0, 0, 0, 0}},
        {"rt_sigsuspend", {mask, 8}},
        {"rt_sigtimedwait", {mask, 0, 0, 8}},
    };
    for (const vain& each : cases) {
        power::elf_image image{testing::tiny_program({0x44000002})};  // sc
        process one(config_, image);
        const auto* const row = &*std::ranges::find(system_call_table(), each.call, &system_call_row::name);
        one.core.state.gpr[0] = row->number;
        for (std::size_t i = 0; i < each.arguments.size(); ++i) {
            one.core.state.gpr[3 + i] = each.arguments[i];
        }
        const end_of_program end = one.run();
        EXPECT_EQ(end.waits_in, each.call);
        EXPECT_EQ(end.status, 1);
        EXPECT_EQ(end.signal, 0);
    }
}

TEST_F(Waiting, ATimerThatNobodyHearsIsNoHelp) {
    put(mask, signals::bit(SIGALRM));
    ASSERT_EQ(call("rt_sigprocmask", {0, mask, 0, 8}), 0);
    start_timer(1, 1);
    call("pause", {});
    EXPECT_TRUE(process_.ended());
}

TEST_F(Waiting, AnIgnoredTimerIsNoHelp) {
    put(action, linux_abi::sigaction{.handler = 1});
    ASSERT_EQ(call("rt_sigaction", {SIGALRM, action, 0, 8}), 0);
    start_timer(1, 1);
    call("pause", {});
    EXPECT_TRUE(process_.ended());
}

TEST_F(Waiting, ATimerComes) {
    handle(SIGALRM);
    start_timer(5);
    EXPECT_EQ(call("pause", {}), -EINTR);
    EXPECT_FALSE(process_.ended());
    EXPECT_EQ(process_.clock.elapsed(), 5'000'000'000);
    start_timer(5);
    EXPECT_EQ(call("futex", {zeros, 0, 0, 0}), -EINTR);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, ASignalThatIsWaitedForMayBeBlocked) {
    put(mask, signals::bit(SIGALRM));
    ASSERT_EQ(call("rt_sigprocmask", {0, mask, 0, 8}), 0);
    start_timer(3);
    EXPECT_EQ(call("rt_sigtimedwait", {mask, 0, 0, 8}), SIGALRM);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, ASignalThatIsPendingIsThere) {
    put(mask, signals::bit(SIGUSR1));
    handle(SIGUSR1);
    ASSERT_EQ(call("rt_sigprocmask", {0, mask, 0, 8}), 0);
    ASSERT_EQ(call("kill", {1000, SIGUSR1}), 0);
    put(mask, std::uint64_t{0});
    EXPECT_EQ(call("rt_sigsuspend", {mask, 8}), -EINTR);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, ATimeoutPasses) {
    put(timer, std::array<std::int64_t, 2>{7, 0});
    EXPECT_EQ(call("ppoll", {0, 0, timer, 0, 8}), 0);
    EXPECT_EQ(call("futex", {zeros, 0, 0, timer}), -ETIMEDOUT);
    EXPECT_EQ(call("select", {0, 0, 0, 0, timer}), 0);
    EXPECT_EQ(process_.clock.elapsed(), 21'000'000'000);
    EXPECT_FALSE(process_.ended());
}

// --- pipes that nobody else has

TEST_F(Waiting, ReadingFromAPipeThatOnlyItselfCanFill) {
    const auto [out, in] = pipe();
    put(space, std::uint64_t{0});
    const auto reader = static_cast<std::uint64_t>(out);
    EXPECT_EQ(call("write", {static_cast<std::uint64_t>(in), space, 5}), 5);
    EXPECT_EQ(call("read", {reader, space, 100}), 5);
    EXPECT_FALSE(process_.ended());
    call("read", {reader, space, 100});
    EXPECT_TRUE(process_.ended());
}

TEST_F(Waiting, AnEndThatIsClosedIsTheEndOfAPipe) {
    const auto [out, in] = pipe();
    EXPECT_EQ(call("close", {static_cast<std::uint64_t>(in)}), 0);
    EXPECT_EQ(call("read", {static_cast<std::uint64_t>(out), space, 100}), 0);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, ATimerInterruptsAReader) {
    const auto [out, in] = pipe();
    handle(SIGALRM);
    start_timer(1);
    EXPECT_EQ(call("read", {static_cast<std::uint64_t>(out), space, 100}), -EINTR);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, AReaderThatDoesNotWait) {
    const auto [out, in] = pipe();
    EXPECT_EQ(call("fcntl", {static_cast<std::uint64_t>(out), 4, 04000}), 0);  // F_SETFL, O_NONBLOCK
    EXPECT_EQ(call("read", {static_cast<std::uint64_t>(out), space, 100}), -EAGAIN);
    EXPECT_FALSE(process_.ended());
}

TEST_F(Waiting, FillingAPipeThatOnlyItselfCanEmpty) {
    const auto [out, in] = pipe();
    std::int64_t written = 0;
    for (int i = 0; i < 100 && !process_.ended(); ++i) {
        written += call("write", {static_cast<std::uint64_t>(in), space, 5000});
    }
    EXPECT_TRUE(process_.ended());
    EXPECT_GT(written, 16 * 2048) << "half of its sixteen pages at least";
}

TEST_F(Waiting, PollingAPipeThatOnlyItselfCanFill) {
    const auto [out, in] = pipe();
    put(files, std::array<std::int32_t, 2>{out, 1});  // POLLIN
    EXPECT_EQ(call("poll", {files, 1, 1000}), 0);
    EXPECT_FALSE(process_.ended());
    put(files + 8, std::array<std::int32_t, 2>{in, 4});  // POLLOUT
    EXPECT_EQ(call("poll", {files, 2, 0xffff'ffff}), 1);
    EXPECT_FALSE(process_.ended());
    call("poll", {files, 1, 0xffff'ffff});
    EXPECT_TRUE(process_.ended());
}

}  // namespace
}  // namespace pefsim::linux_user
