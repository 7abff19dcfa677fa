// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <vector>

/// Tests of IBM's Open Power Verification family (.tst), as text: initial state, the trace of every instruction with
/// what it reads and writes, final state. Lines that begin with "*" are comments; some of them tell where effective
/// addresses lie in real storage, and which instruction is the last.
namespace pefsim::opv {

/// R name value
struct register_value {
    std::string name{};
    std::vector<std::uint64_t> words{};  ///< most significant first: one, or two of a vector register
    std::size_t line = 0;                ///< of the file, from 1
};

/// D address bytes, at a real address
struct storage_value {
    std::uint64_t real = 0;
    std::vector<std::uint8_t> bytes{};
    std::size_t line = 0;
};

/// A small page of effective addresses that the test's comments place in real storage.
struct placement {
    std::uint64_t ea = 0;
    std::uint64_t real = 0;
};

/// I address word * EA=... : an instruction of the trace, in the order of execution.
struct step {
    std::uint64_t real = 0;
    std::uint64_t ea = 0;
    std::vector<std::uint8_t> bytes{};
    std::string text{};
    bool last = false;  ///< "notrace": it is not executed
    std::vector<register_value> writes{};
    std::vector<storage_value> stores{};
    std::size_t line = 0;
};

struct test {
    std::string name{};
    std::vector<register_value> registers{};
    std::vector<storage_value> storage{};
    std::vector<placement> placements{};
    std::vector<step> steps{};
    std::vector<register_value> final_registers{};
    std::vector<storage_value> final_storage{};
};

/// All tests of a file. Throws std::runtime_error, which names the line, when the text is not of this family.
std::vector<test> read_tests(std::istream& text);

}  // namespace pefsim::opv
