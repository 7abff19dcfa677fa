// SPDX-License-Identifier: Apache-2.0
#include "power/mmu/radix_translator.h"

#include "power/engine/interrupt.h"
#include "power/engine/tlb.h"

namespace pefsim::power::mmu {
namespace {

using pte = page_table_entry;

constexpr unsigned block_exponent = 16;
static_assert(block == std::uint64_t{1} << block_exponent);

/// In real mode the four leftmost bits of an effective address do not count (5.7.3).
constexpr std::uint64_t real_mode_mask = 0x0fff'ffff'ffff'ffff;

/// Key 0 of AMR and IAMR: what a privileged access to a page of problem state may not do.
constexpr std::uint64_t no_store = std::uint64_t{1} << 63;
constexpr std::uint64_t no_load = std::uint64_t{1} << 62;
constexpr std::uint64_t no_fetch = std::uint64_t{1} << 62;

bool key_forbids(const registers& state, access_kind kind) {
    switch (kind) {
    case access_kind::fetch:
        return (state[spr::iamr] & no_fetch) != 0;
    case access_kind::load:
        return (state[spr::amr] & no_load) != 0;
    case access_kind::store:
        return (state[spr::amr] & no_store) != 0;
    }
    return true;
}

bool authorised(pte leaf, access_kind kind) {
    switch (kind) {
    case access_kind::fetch:
        return (leaf.value & pte::executable) != 0;
    case access_kind::load:
        return (leaf.value & (pte::readable | pte::writable)) != 0;
    case access_kind::store:
        return (leaf.value & pte::writable) != 0;
    }
    return false;
}

/// A privileged access to a page of problem state, which AMR and IAMR may forbid.
bool keyed(const registers& state, pte leaf) {
    return (state.msr & msr_pr) == 0 && (leaf.value & pte::privileged) == 0;
}

/// Status bits of the access, 0 when it is allowed (5.7.11).
std::uint64_t refusal(const registers& state, pte leaf, access_kind kind) {
    const bool problem = (state.msr & msr_pr) != 0;
    if (kind == access_kind::fetch && leaf.guarded()) {
        return storage_status::no_execute;
    }
    if (problem && (leaf.value & pte::privileged) != 0) {
        return storage_status::protection;
    }
    if (!authorised(leaf, kind)) {
        return kind == access_kind::fetch ? storage_status::no_execute : storage_status::protection;
    }
    return keyed(state, leaf) && key_forbids(state, kind) ? storage_status::protection : 0;
}

/// Reference and change bits that the access sets.
constexpr std::uint64_t marks_of(access_kind kind) {
    return pte::reference | (kind == access_kind::store ? pte::change : 0);
}

}  // namespace

translation radix_translator::translate(const registers& state, std::uint64_t ea, access_kind kind) {
    if ((state.msr & (kind == access_kind::fetch ? msr_ir : msr_dr)) == 0) {
        return {.real = ea & real_mode_mask, .of_block = true};
    }
    std::uint64_t pid = 0;
    switch (ea >> 62) {
    case 0:
        pid = state[spr::pidr];
        break;
    case 3:
        break;
    default:
        return {.error = storage_error::segment};
    }
    ++lookups_;
    const walk_cache::hit hit = walks_.find(pid, ea);
    if (hit.found != nullptr) [[likely]] {
        const pte leaf = hit.found->leaf;
        const std::uint64_t marks = marks_of(kind);
        if ((leaf.value & marks) == marks && refusal(state, leaf, kind) == 0) [[likely]] {
            const std::uint64_t offset_mask = (std::uint64_t{1} << hit.size_exponent) - 1;
            return {.real = (leaf.page() & ~offset_mask) | (ea & offset_mask),
                    .inhibited = leaf.inhibited(),
                    .of_block = hit.size_exponent >= block_exponent};
        }
    }
    return walk_again(state, pid, ea, kind);
}

/// Entries that do not allow an access are not trusted: software may have changed them to allow more without tlbie.
translation radix_translator::walk_again(const registers& state, std::uint64_t pid, std::uint64_t ea,
                                         access_kind kind) {
    ++walked_;
    walk_result walked = walk(storage_, partition_.processes(), pid, ea);
    if (walked.error != storage_error::none) {
        return {.error = walked.error, .status = walked.status};
    }
    if (const std::uint64_t status = refusal(state, walked.leaf, kind); status != 0) {
        return {.error = storage_error::storage, .status = status};
    }
    if (!mark(walked, marks_of(kind))) {
        return {.error = storage_error::table_machine_check};
    }
    walks_.insert(pid, ea, walked);
    const std::uint64_t offset_mask = (std::uint64_t{1} << walked.size_exponent) - 1;
    return {.real = (walked.leaf.page() & ~offset_mask) | (ea & offset_mask),
            .inhibited = walked.leaf.inhibited(),
            .of_block = walked.size_exponent >= block_exponent};
}

/// Nobody can change the entry between its reading and its writing: processors run one after the other.
bool radix_translator::mark(walk_result& walked, std::uint64_t bits) {
    if ((walked.leaf.value & bits) == bits) {
        return true;
    }
    walked.leaf.value |= bits;
    return storage_.write(walked.leaf_at, walked.leaf.value);
}

void radix_translator::invalidate(const tlb_invalidation& what) {
    walks_.forget(what);
    if (what.everywhere) {
        partition_.broadcast(what, owner_);
    }
}

}  // namespace pefsim::power::mmu
