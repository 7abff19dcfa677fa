// SPDX-License-Identifier: Apache-2.0
#include "trace/exposed_page.h"

#include <algorithm>

namespace pefsim::trace {

exposure_accounts::exposure_accounts() : keys_(256) {
    accounts_.push_back({0, 0});
    place_of(0, 0) = {0, 0, 1};
}

exposure_accounts::key& exposure_accounts::place_of(std::uint16_t initiator, std::uint64_t origin) {
    std::uint64_t hash = (origin ^ std::uint64_t{initiator} << 48) * 0x9E37'79B9'7F4A'7C15;
    hash ^= hash >> 32;
    std::size_t at = hash & (keys_.size() - 1);
    while (keys_[at].index != 0 && (keys_[at].origin != origin || keys_[at].initiator != initiator)) {
        at = (at + 1) & (keys_.size() - 1);
    }
    return keys_[at];
}

std::uint32_t exposure_accounts::look_up(std::uint16_t initiator, std::uint64_t origin) {
    const key& found = place_of(initiator, origin);
    if (found.index != 0) {
        return found.index - 1;
    }
    accounts_.push_back({initiator, origin});
    if (accounts_.size() * 2 > keys_.size()) {
        keys_.assign(keys_.size() * 2, {});
        for (std::size_t i = 0; i + 1 < accounts_.size(); ++i) {
            const account& a = accounts_[i];
            place_of(a.initiator, a.origin) = {a.origin, a.initiator, static_cast<std::uint32_t>(i + 1)};
        }
    }
    place_of(initiator, origin) = {origin, initiator, static_cast<std::uint32_t>(accounts_.size())};
    return static_cast<std::uint32_t>(accounts_.size() - 1);
}

void exposure_accounts::end_mapping(std::uint32_t mapping) {
    if (mapping == 0) {
        return;
    }
    if (mapping / 64 >= ended_.size()) {
        ended_.resize(std::max<std::size_t>(2 * ended_.size(), mapping / 64 + 64));
    }
    ended_[mapping / 64] |= std::uint64_t{1} << (mapping % 64);
}

// Replaces what lies in [what.begin, what.end). The neighbours that tell the same story become part of it.
void exposed_page::write(leaf& in, extent what, exposure_accounts& accounts) {
    if (in.size() == 1 && in[0].begin == what.begin && in[0].end == what.end) {
        accounts.drop(in[0].account, in[0].mapping, in[0].reads == 0, what.end - what.begin);
        in[0] = what;
        return;
    }
    auto first = std::ranges::upper_bound(in, what.begin, {}, &extent::end);
    if (first != in.end() && first->begin < what.begin) {
        const extent around = *first;
        first->end = what.begin;
        if (around.end > what.end) {
            accounts.drop(around.account, around.mapping, around.reads == 0, what.end - what.begin);
            extent rest = around;
            rest.begin = what.end;
            first = in.insert(first + 1, rest);
        } else {
            accounts.drop(around.account, around.mapping, around.reads == 0, around.end - what.begin);
            ++first;
        }
    }
    auto last = first;
    for (; last != in.end() && last->end <= what.end; ++last) {
        accounts.drop(last->account, last->mapping, last->reads == 0, last->end - last->begin);
    }
    if (last != in.end() && last->begin < what.end) {
        accounts.drop(last->account, last->mapping, last->reads == 0, what.end - last->begin);
        last->begin = what.end;
    }
    if (first != in.begin() && (first - 1)->end == what.begin && (first - 1)->same_story(what)) {
        --first;
        what.begin = first->begin;
        what.written = std::max(what.written, first->written);
    }
    if (last != in.end() && last->begin == what.end && last->same_story(what)) {
        what.end = last->end;
        what.written = std::max(what.written, last->written);
        ++last;
    }
    if (first == last) {
        in.insert(first, what);
    } else {
        *first = what;
        in.erase(first + 1, last);
    }
}

void exposed_page::write(std::uint32_t begin, std::uint32_t end, std::uint32_t account, std::uint32_t mapping,
                         std::uint64_t written, exposure_accounts& accounts) {
    while (begin < end) {
        const std::uint32_t base = begin / leaf_size * leaf_size;
        const std::uint32_t part_end = std::min(end, base + leaf_size);
        write(leaves_[begin / leaf_size],
              {static_cast<std::uint16_t>(begin - base), static_cast<std::uint16_t>(part_end - base), 0, 0,
               account, mapping, written},
              accounts);
        begin = part_end;
    }
}

void exposed_page::read(leaf& in, std::uint16_t begin, std::uint16_t end, std::uint16_t reader,
                        exposure_accounts& accounts) {
    auto at = in.size() == 1 ? in.begin() : std::ranges::upper_bound(in, begin, {}, &extent::end);
    while (at != in.end() && at->begin < end && at->end > begin) {
        extent part = *at;
        part.begin = std::max(part.begin, begin);
        part.end = std::min(part.end, end);
        ++part.reads;
        part.last_reader = reader;
        accounts.read(part.mapping, part.end - part.begin);

        // The commonest cases move nothing: the whole extent was read, or its first part, which joins the one
        // before.
        if (at->begin < part.begin) {
            extent before = *at;
            before.end = part.begin;
            at->begin = part.begin;
            at = in.insert(at, before) + 1;
        }
        const bool whole = at->end == part.end;
        const bool joins = at != in.begin() && (at - 1)->end == part.begin && (at - 1)->same_story(part);
        if (joins) {
            (at - 1)->end = part.end;
            (at - 1)->written = std::max((at - 1)->written, part.written);
            at->begin = part.end;
            at = whole ? in.erase(at) : at;
        } else if (whole) {
            *at++ = part;
        } else {
            at->begin = part.end;
            at = in.insert(at, part) + 1;
        }
        // `at` is what follows the part that was read.
        if (at != in.end() && at != in.begin() && at->begin == (at - 1)->end && at->begin >= end &&
            at->same_story(*(at - 1))) {
            (at - 1)->end = at->end;
            (at - 1)->written = std::max((at - 1)->written, at->written);
            at = in.erase(at);
        }
    }
}

void exposed_page::read(std::uint32_t begin, std::uint32_t end, std::uint16_t reader,
                        exposure_accounts& accounts) {
    while (begin < end) {
        const std::uint32_t base = begin / leaf_size * leaf_size;
        const std::uint32_t part_end = std::min(end, base + leaf_size);
        read(leaves_[begin / leaf_size], static_cast<std::uint16_t>(begin - base),
             static_cast<std::uint16_t>(part_end - base), reader, accounts);
        begin = part_end;
    }
}

void exposed_page::clear(exposure_accounts& accounts) {
    for (leaf& in : leaves_) {
        for (const extent& e : in) {
            accounts.drop(e.account, e.mapping, e.reads == 0, e.end - e.begin);
        }
        in.clear();
    }
}

}  // namespace pefsim::trace
