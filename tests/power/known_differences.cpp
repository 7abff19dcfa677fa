// SPDX-License-Identifier: Apache-2.0
#include "tests/power/known_differences.h"

#include <algorithm>
#include <array>

#include "power/isa/form.h"

namespace pefsim::power::isa {
namespace {

consteval known_difference words_of(const encoding& code, std::string_view mnemonics,
                                    std::string_view reason) {
    return {code.match, code.mask, mnemonics, reason};
}
consteval known_difference x_words(int xo, std::string_view mnemonics, std::string_view reason) {
    return words_of(x_form(31, xo), mnemonics, reason);
}

constexpr std::string_view segments = "segment registers, which ISA 3.0 does not have";
constexpr std::string_view software_tlb = "TLB of the PowerPC 603, loaded by software";
constexpr std::string_view external_control = "external control facility, gone with ISA 2.07";
constexpr std::string_view coprocessors =
    "coprocessor requests of POWER7 and POWER8, replaced by copy and paste";
constexpr std::string_view hash_checks =
    "ISA 3.1 names four of the reserved no-operations; a POWER9 does nothing";

// clang-format off
constexpr std::array differences{
    x_words(82,  "mtsrd", segments),
    x_words(114, "mtsrdin", segments),
    x_words(147, "mtsle", "switches the order of storage accesses on other processors"),
    x_words(370, "tlbia", "not in ISA 3.0; tlbiel with IS=3 does it"),
    x_words(978, "tlbld", software_tlb),
    x_words(1010, "tlbli", software_tlb),
    x_words(470, "dcbi", "of embedded processors"),
    x_words(310, "eciwx", external_control),
    x_words(438, "ecowx", external_control),
    words_of(x_form(31, 404).dot(), "pbt.", coprocessors),
    x_words(406, "icswx icswx.", coprocessors),
    x_words(882, "rmieg", "in ISA 3.0, withdrawn with 3.0B"),
    words_of(xl_form(19, 50), "rfi", "of 32-bit processors"),
    x_words(658, "hashstp", hash_checks),
    x_words(690, "hashchkp", hash_checks),
    x_words(722, "hashst", hash_checks),
    x_words(754, "hashchk", hash_checks),
    words_of(x_form(31, 22).with(bit(6), 1), "icbt", "CT has four bits; bit 6 is reserved"),
};
// clang-format on

}  // namespace

std::span<const known_difference> known_differences() { return differences; }

const known_difference* known_difference_of(std::uint32_t word) {
    const auto* const found = std::ranges::find_if(
        differences, [word](const known_difference& each) { return each.covers(word); });
    return found == differences.end() ? nullptr : found;
}

}  // namespace pefsim::power::isa
