// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "linux_user/linux_abi.h"

namespace pefsim::linux_user {

class process;

/// Signals of a program: what it wants done with them, which are blocked, which wait. A signal set is a 64-bit number
/// in which signal n is bit n - 1.
class signals {
public:
    explicit signals(process& of) : process_(of) {}
    signals(const signals&) = delete;
    signals& operator=(const signals&) = delete;

    static constexpr std::uint64_t bit(int signal) { return std::uint64_t{1} << (signal - 1); }

    std::array<linux_abi::sigaction, linux_abi::signal_count + 1> actions{};  ///< by number
    linux_abi::stack alternate_stack;
    std::uint64_t trampoline = 0;  ///< address of the code that calls rt_sigreturn

    [[nodiscard]] std::uint64_t blocked() const { return blocked_; }
    [[nodiscard]] std::uint64_t pending() const { return pending_; }
    void set_blocked(std::uint64_t set);
    /// Until a handler returns, or deliver() finds no handler to call, `set` is blocked: sigsuspend(2).
    void suspend(std::uint64_t set);

    /// sigaction(2); a waiting signal that is to be ignored is gone.
    void set_action(int signal, const linux_abi::sigaction& action);
    /// A signal that is delivered when it is not blocked.
    void send(const linux_abi::siginfo& what);
    /// A fault of the program's own: when it is blocked or ignored, it kills.
    void force(const linux_abi::siginfo& what);
    /// Takes a waiting signal of `set` without delivering it: sigtimedwait(2).
    std::optional<linux_abi::siginfo> take(std::uint64_t set);
    /// Delivers what waits and is not blocked: calls a handler, or ends or stops the program.
    void deliver();
    /// rt_sigreturn(2). False: the frame cannot be read
    bool return_from_handler();

    /// Whether it has a handler.
    [[nodiscard]] bool handles(int signal) const;
    /// Whether send() does nothing with it.
    [[nodiscard]] bool drops(int signal) const { return ignores(signal) && (blocked_ & bit(signal)) == 0; }

    [[nodiscard]] bool on_alternate_stack(std::uint64_t sp) const {
        return sp - alternate_stack.sp < alternate_stack.size;
    }

private:
    [[nodiscard]] bool ignores(int signal) const;
    void act(const linux_abi::siginfo& what);
    void act_by_default(int signal);
    bool call_handler(const linux_abi::siginfo& what, const linux_abi::sigaction& action);

    process& process_;
    std::uint64_t blocked_ = 0;
    std::uint64_t pending_ = 0;
    std::array<linux_abi::siginfo, linux_abi::signal_count + 1> waiting_{};
    std::optional<std::uint64_t> blocked_before_suspend_;
};

}  // namespace pefsim::linux_user
