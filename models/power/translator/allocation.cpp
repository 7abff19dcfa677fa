// SPDX-License-Identifier: Apache-2.0
#include "power/translator/allocation.h"

#include <algorithm>

namespace pefsim::power::host_code {
namespace {

using weights = std::array<double, register_count>;

/// How often each loop's instructions name each register; those of an inner loop count for the ones around it, too,
/// but for less: they have a placement of their own.
std::vector<weights> weigh(const region& of) {
    constexpr double for_outer = 0.3;
    std::vector<weights> result(of.loops.size(), weights{});
    for (unsigned n = of.first; n <= of.last; ++n) {
        const guest_op& here = of.ops[n];
        if (!here.reached) {
            continue;
        }
        unsigned each = here.loop;
        double weight = 1;
        while (true) {
            here.use.reads.for_each([&](unsigned r) { result[each][r] += weight; });
            here.use.writes.for_each([&](unsigned r) { result[each][r] += weight; });
            if (each == 0) {
                break;
            }
            each = of.loops[each].around;
            weight *= for_outer;
        }
    }
    return result;
}

}  // namespace

std::vector<placement> allocate(const region& of) {
    const std::vector<weights> weight = weigh(of);
    std::vector<placement> result(of.loops.size());
    for (unsigned each = 0; each < of.loops.size(); ++each) {  // outer ones first
        constexpr double worth_it = 0.5;
        std::vector<unsigned> chosen;
        for (unsigned r = 0; r < register_count; ++r) {
            if (weight[each][r] > worth_it) {
                chosen.push_back(r);
            }
        }
        std::ranges::stable_sort(chosen,
                                 [&](unsigned a, unsigned b) { return weight[each][a] > weight[each][b]; });
        chosen.resize(std::min<std::size_t>(chosen.size(), host_register_count));
        placement& here = result[each];
        std::array<bool, host_register_count> taken{};
        if (each != 0) {
            const placement& outer = result[of.loops[each].around];
            for (const unsigned r : chosen) {
                if (outer.host[r] != placement::in_memory) {
                    here.host[r] = outer.host[r];
                    taken[static_cast<std::size_t>(outer.host[r])] = true;
                }
            }
        }
        for (const unsigned r : chosen) {
            if (here.host[r] == placement::in_memory) {
                const auto free = std::ranges::find(taken, false);
                *free = true;
                here.host[r] = static_cast<int>(free - taken.begin());
            }
            here.placed.add(r);
        }
        here.written = of.loops[each].written & here.placed;
    }
    return result;
}

}  // namespace pefsim::power::host_code
