// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "linux_user/system_calls.h"

namespace pefsim::fuzz {

/// An argument of a system call before it is made: what it is may depend on the calls before.
struct call_argument {
    enum class kind : std::uint8_t {
        number,  ///< `value`
        place,   ///< an address `value` behind the start of the case's data
        path,    ///< the address of `text`
        result,  ///< what call number `value` of the case returned
    };
    kind what = kind::number;
    std::uint64_t value = 0;
    std::string text{};
};

struct fuzz_call {
    std::uint64_t number = 0;
    std::array<call_argument, 6> arguments;
};

/// A line of a corpus file for each: NAME ARGUMENT..., where an argument is a number, @OFFSET, $CALL or "PATH".
/// \throws std::invalid_argument with the line that is none
std::vector<fuzz_call> read_calls(const std::filesystem::path& file);
std::string to_text(const fuzz_call& call);

/// Makes calls of a seed: a sequence of the corpus with some arguments changed, then random ones.
class call_maker {
public:
    call_maker(std::uint64_t seed, const std::vector<std::vector<fuzz_call>>& corpus)
        : random_(seed),
          corpus_(corpus) {}
    std::vector<fuzz_call> make(std::size_t count);

private:
    fuzz_call random_call(std::size_t before);
    call_argument argument(linux_user::argument_kind kind, std::size_t before);
    call_argument value(std::size_t before);
    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

    std::mt19937_64 random_;
    const std::vector<std::vector<fuzz_call>>& corpus_;
};

/// Whether the fuzzer leaves a call out: it would stop itself, wait for others, or burden the machine.
bool is_left_out(std::uint64_t number, const linux_user::system_call_arguments& arguments);

}  // namespace pefsim::fuzz
