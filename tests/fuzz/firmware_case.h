// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "abi/rtas.h"

/// Calls of a guest to its firmware: well-formed ones, and what becomes of them.
namespace pefsim::fuzz {

/// Guest memory that a call may change.
struct area {
    std::uint64_t at;
    std::uint64_t size;
};

/// An argument block, and what stands in memory for it.
struct firmware_call {
    bool rtas = false;        ///< else of the client interface
    std::uint32_t token = 0;  ///< of RTAS
    std::string service{};    ///< of the client interface
    std::vector<std::uint32_t> arguments{};
    std::uint32_t n_args = 0;  ///< as the block has it: not always their number
    std::uint32_t n_rets = 0;
    std::uint64_t block_at = 0;
    std::uint64_t name_at = 0;  ///< of the client service's name
    struct text {
        std::uint64_t at;
        std::string characters;
    };
    std::vector<text> texts{};
    unsigned cpu = 0;

    /// Where results, and what the call is asked to write, may go; for a block that is read as it was made.
    [[nodiscard]] std::vector<area> may_change() const;
};
std::string to_text(const firmware_call& call);

/// What a case's calls may name.
struct firmware_surroundings {
    std::uint64_t ram_size;
    unsigned cpus;
    std::vector<unsigned> functions;  ///< device/function numbers
    std::vector<std::string> paths;   ///< of the tree
    std::vector<std::string> properties;
};

/// Makes calls: rows of RTAS and services of the client interface with arguments that make sense, some of them changed.
class firmware_call_maker {
public:
    firmware_call_maker(const firmware_surroundings& around, std::mt19937_64& random)
        : around_(around),
          random_(random) {}
    firmware_call make();

private:
    [[nodiscard]] std::uint64_t below(std::uint64_t end) { return random_() % end; }
    [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <class T>
    const T& any_of(const std::vector<T>& of) {
        return of[below(of.size())];
    }

    std::uint32_t address();
    std::uint32_t length();
    std::uint32_t anything();
    std::uint32_t text(firmware_call& of, std::string_view characters);
    std::uint32_t path(firmware_call& of);
    std::uint32_t property(firmware_call& of);
    std::uint32_t phandle();
    std::uint32_t instance();
    void pci_address(firmware_call& of, bool with_unit);
    void make_rtas(firmware_call& of);
    void make_client(firmware_call& of);
    void change(firmware_call& of);
    void place(firmware_call& of);

    const firmware_surroundings& around_;
    std::mt19937_64& random_;
};

}  // namespace pefsim::fuzz
