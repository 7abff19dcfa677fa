// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <span>
#include <vector>

namespace pefsim::linux_user {

/// A descriptor that the gate has let through: one of the program's, or -1, which the host refuses with EBADF.
class descriptor {
public:
    operator int() const { return number_; }  // NOLINT(google-explicit-constructor): it is the host's number

private:
    friend class descriptors;
    explicit descriptor(int number) : number_(number) {}
    int number_;
};

/// The same where AT_FDCWD may stand for the working directory.
class directory_descriptor {
public:
    operator int() const { return number_; }  // NOLINT(google-explicit-constructor)
    /// The working directory: of calls that have no such argument.
    static directory_descriptor working();

private:
    friend class descriptors;
    explicit directory_descriptor(int number) : number_(number) {}
    int number_;
};

/// A descriptor that does not leave the function which holds it; closed at its end.
class owned_descriptor {
public:
    owned_descriptor() = default;
    explicit owned_descriptor(int number) : number_(number) {}
    owned_descriptor(owned_descriptor&& other) noexcept : number_(other.release()) {}
    owned_descriptor& operator=(owned_descriptor&& other) noexcept;
    owned_descriptor(const owned_descriptor&) = delete;
    owned_descriptor& operator=(const owned_descriptor&) = delete;
    ~owned_descriptor();

    [[nodiscard]] int get() const { return number_; }
    [[nodiscard]] int release();

private:
    int number_ = -1;
};

/// What is open in this process of the host now, in ascending order.
std::vector<int> open_descriptors();

/// The gate between a program's descriptors and those of pefsim, which share the host's numbers. pefsim's are reserved:
/// no call sees, uses, replaces or closes them. Every descriptor that a call gets has passed here: only the gate makes
/// the types above.
class descriptors {
public:
    /// \param inherited what was open before pefsim opened anything; all else that is open now is reserved
    explicit descriptors(std::span<const int> inherited);
    descriptors(const descriptors&) = delete;
    descriptors& operator=(const descriptors&) = delete;
    ~descriptors();

    [[nodiscard]] bool is_reserved(int number) const;
    [[nodiscard]] descriptor pass(int number) const { return descriptor(is_reserved(number) ? -1 : number); }
    [[nodiscard]] directory_descriptor pass_directory(int number) const {
        return directory_descriptor(is_reserved(number) ? -1 : number);
    }
    /// What the host has opened for the program. \returns it; EMFILE, negative, when the program's limit forbids it
    [[nodiscard]] std::int64_t admit(int made) const;
    /// Puts `number` out of the program's way, closing what it was, and reserves it. \returns its new number, or -1
    int keep(int number);
    /// close_range(2) with `flags` of the host, around what is reserved.
    [[nodiscard]] std::int64_t close_range(unsigned first, unsigned last, int flags) const;
    /// The program has ended: closes what it has open and gives pefsim its standard error back.
    void end();

    /// RLIMIT_NOFILE as the program has it; the host's own limit is as high as it can be.
    [[nodiscard]] std::uint64_t limit() const { return limit_; }
    [[nodiscard]] std::uint64_t hard_limit() const { return hard_limit_; }
    void set_limits(std::uint64_t soft, std::uint64_t hard);

private:
    std::vector<int> reserved_;  // ascending
    std::vector<int> own_;       // of them, those of this object
    std::uint64_t limit_ = 0;
    std::uint64_t hard_limit_ = 0;
    ::rlimit host_limit_{};  // before
    int standard_error_ = -1;
};

}  // namespace pefsim::linux_user
