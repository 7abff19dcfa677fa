// SPDX-License-Identifier: Apache-2.0
#include "power/debug/call_chain.h"

#include <array>

namespace pefsim::power::debug {
namespace {

constexpr std::uint64_t frame_alignment = 16;
constexpr std::uint64_t lr_save = 16;

/// Linux's frame of an interrupt: a marker, and 16 bytes behind it the registers. STACK_INT_FRAME_MARKER is 32 for the
/// V2 ABI from Linux 6.2 on, 96 otherwise.
constexpr std::uint64_t regs_marker = 0x7265'6773'6865'7265;
constexpr std::array<std::uint64_t, 2> marker_offsets{32, 96};
constexpr std::uint64_t regs_behind_marker = 16;
// struct pt_regs
constexpr std::uint64_t regs_gpr1 = 8;
constexpr std::uint64_t regs_nip = 32 * 8;
constexpr std::uint64_t regs_msr = regs_nip + 8;
constexpr std::uint64_t regs_link = regs_nip + 32;

struct interrupted_state {
    std::uint64_t nip = 0;
    std::uint64_t msr = 0;
    std::uint64_t r1 = 0;
    std::uint64_t lr = 0;
};

class walker {
public:
    walker(stack_storage& storage, std::uint64_t msr, std::span<chain_step> to)
        : storage_(storage),
          msr_(msr),
          to_(to) {}

    void add(std::uint64_t ea, bool from_lr = false) {
        if (room()) {
            to_[count_++] = {ea, from_lr};
        }
    }
    /// A call that returns there: the instruction before.
    void add_return(std::uint64_t to, bool from_lr = false) {
        if (to != 0) {
            add(to - 4, from_lr);
        }
    }
    [[nodiscard]] bool room() const { return count_ < to_.size(); }
    [[nodiscard]] std::size_t count() const { return count_; }

    /// From the frame at `frame` on. \param lr may say where the innermost function returns to; 0: it does not
    void follow(std::uint64_t frame, std::uint64_t lr) {
        // Not every frame makes a step, and frames may lead in a circle.
        for (std::size_t frames = 0; frames < to_.size() && room(); ++frames) {
            if (const auto at = interrupted(frame)) {
                if (lr != at->lr) {
                    add_return(lr, true);
                }
                add(at->nip);
                msr_ = at->msr;
                frame = at->r1;
                lr = at->lr;
                continue;
            }
            // A frame lies above those of what it calls; another stack (of interrupts) may lie anywhere.
            const std::uint64_t caller = word(frame).value_or(0);
            if (caller == 0 || caller == frame) {
                break;
            }
            const std::optional<std::uint64_t> back_to = word(caller + lr_save);
            if (!back_to) {
                break;
            }
            if (lr != *back_to) {
                add_return(lr, true);
            }
            lr = 0;
            add_return(*back_to);
            frame = caller;
        }
        add_return(lr, true);
    }

private:
    [[nodiscard]] std::optional<std::uint64_t> word(std::uint64_t ea) {
        return ea % 8 == 0 ? storage_.doubleword(ea, msr_) : std::nullopt;
    }

    /// What an interrupt has saved in the frame at `frame`, if it is one's: the marker alone may be left from earlier.
    std::optional<interrupted_state> interrupted(std::uint64_t frame) {
        if (frame % frame_alignment != 0) {
            return std::nullopt;
        }
        for (const std::uint64_t marker : marker_offsets) {
            if (word(frame + marker) != regs_marker) {
                continue;
            }
            const std::uint64_t regs = frame + marker + regs_behind_marker;
            const auto r1 = word(regs + regs_gpr1);
            const auto nip = word(regs + regs_nip);
            const auto msr = word(regs + regs_msr);
            const auto lr = word(regs + regs_link);
            if (r1 && nip && msr && lr && word(frame) == r1 && *r1 != frame) {
                return interrupted_state{.nip = *nip, .msr = *msr, .r1 = *r1, .lr = *lr};
            }
        }
        return std::nullopt;
    }

    stack_storage& storage_;
    std::uint64_t msr_;
    std::span<chain_step> to_;
    std::size_t count_ = 0;
};

}  // namespace

way_on way_of(std::uint32_t word) {
    const bool sets_lr = (word & 1) != 0;
    const auto if_not_call = [&](way_on otherwise) { return sets_lr ? way_on::call : otherwise; };
    constexpr std::uint32_t bc = 16;
    constexpr std::uint32_t b = 18;
    constexpr std::uint32_t xl_form = 19;
    switch (word >> 26) {
    case bc:
    case b:
        return if_not_call(way_on::ahead);
    case xl_form:
        break;
    default:
        return way_on::ahead;
    }
    switch (word >> 1 & 0x3ff) {
    case 16:  // bclr
        return if_not_call(way_on::back);
    case 528:  // bcctr
    case 560:  // bctar
        return if_not_call(way_on::ahead);
    case 18:   // rfid
    case 82:   // rfscv
    case 274:  // hrfid
        return way_on::from_interrupt;
    default:
        return way_on::ahead;
    }
}

std::size_t call_chain(const stack_state& from, stack_storage& storage, std::span<chain_step> to) {
    walker chain(storage, from.msr, to);
    chain.add(from.place);
    switch (from.then) {
    case way_on::ahead:
        chain.follow(from.r1, from.lr);
        break;
    case way_on::call:
        chain.follow(from.r1, 0);  // LR leads to the place
        break;
    case way_on::back:
        chain.add_return(from.nip);
        chain.follow(from.r1, 0);
        break;
    case way_on::from_interrupt:
        chain.add(from.nip);
        chain.follow(from.r1, from.lr);
        break;
    }
    return chain.count();
}

}  // namespace pefsim::power::debug
