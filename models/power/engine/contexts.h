// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "power/engine/environment.h"
#include "power/engine/tlb.h"

namespace pefsim::power {

/// TLBs of one kind for every state of the processor in which the same effective address may lead elsewhere: a
/// translation context. Relocated contexts go by state (supervisor or problem, byte order), PIDR and the bits of the
/// authority masks that decide; the latest of each state are remembered, so that software may go from one to another
/// and back (a switch of processes, a kernel that opens the user's storage for a copy) and find what it left. Quadrant
/// 3 is the same for all processes: a context that takes the place of the least recently used one keeps it if the keys
/// are the same.
///
/// What is to be forgotten goes at once from the contexts that were selected last, and from the others before they are
/// selected again.
template <class Tlb>
class contexts {
public:
    /// Of each state.
    static constexpr std::size_t remembered = 8;

    /// Real mode. The byte order does not matter to translation; it does to decoded code, and to data that are
    /// reversed.
    [[nodiscard]] Tlb& real(bool little_endian) { return real_[little_endian ? 0 : 1]; }
    /// \param keys the bits of AMR, or of IAMR, that decide; 0 in problem state
    [[nodiscard]] Tlb& relocated(bool problem, bool little_endian, std::uint64_t pid, std::uint64_t keys) {
        state_contexts& in = states_[(problem ? 2 : 0) + (little_endian ? 0 : 1)];
        const std::uint64_t name = pid << key_bits | keys;
        if (in.now != nullptr && in.now->name == name) [[likely]] {
            return in.now->tlbs;
        }
        return select(in, name).tlbs;
    }

    void forget();
    void forget_stores();
    /// tlbie: real mode knows no translation.
    void forget(const tlb_invalidation& what);

private:
    static constexpr unsigned key_bits = 2;
    static constexpr std::uint64_t keys_of(std::uint64_t name) { return name & ((1U << key_bits) - 1); }

    enum class due : std::uint8_t { nothing, stores, all };  // what is to be forgotten before it is selected
    struct context {
        std::uint64_t name = 0;
        std::uint64_t used_at = 0;
        due forgets = due::nothing;
        Tlb tlbs;
    };
    struct state_contexts {
        context* now = nullptr;  // selected last
        std::vector<std::unique_ptr<context>> all;
    };

    context& select(state_contexts& in, std::uint64_t name);
    context& make(state_contexts& in, std::uint64_t name);
    template <class Action>
    void for_each(const Action& action);

    std::array<Tlb, 2> real_;
    std::array<state_contexts, 4> states_;
    std::uint64_t selections_ = 0;
};

extern template class contexts<data_tlb>;
extern template class contexts<fetch_tlb>;

}  // namespace pefsim::power
