// SPDX-License-Identifier: Apache-2.0
#include "tests/power/encodings.h"

#include <iterator>

namespace pefsim::power::isa {

std::uint32_t encodings::of(const instruction& row) {
    std::uint32_t word = row.code.match | (random_bits() & row.variant_bits());
    for (const operand each : row.operands) {
        const field& where = info_of(each).where;
        const field& other = info_of(row.operands[below(std::size(row.operands))]).where;
        std::uint32_t value = 0;
        switch (below(5)) {
        case 0:
            break;
        case 1:
            value = 0xffffffff;
            break;
        case 2:
            value = where.put(other.of(word));
            break;
        default:
            value = random_bits();
            break;
        }
        word = (word & ~where.mask()) | (value & where.mask());
    }
    return word;
}

std::vector<std::uint32_t> encodings::of(const debug::alias& name, unsigned count) {
    std::vector<std::uint32_t> words;
    for (unsigned tries = 0; tries < 200 * count && words.size() < count; ++tries) {
        const std::uint32_t word = (of(*name.base) & ~name.when.mask) | name.when.match;
        if (name.when.holds(word)) {
            words.push_back(word);
        }
    }
    return words;
}

std::uint32_t encodings::of_anything() {
    constexpr std::uint32_t busy[] = {4, 19, 30, 31, 31, 59, 60, 63};
    const std::uint32_t word = random_bits();
    const std::uint32_t sparse = word & random_bits() & 0x03fff800;
    switch (below(4)) {
    case 0:
        return word;
    case 1:
        return busy[below(std::size(busy))] << 26 | (word & 0x03ffffff);
    default:
        return busy[below(std::size(busy))] << 26 | sparse | (word & 0x7ff);
    }
}

}  // namespace pefsim::power::isa
