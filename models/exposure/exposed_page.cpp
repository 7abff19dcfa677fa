// SPDX-License-Identifier: Apache-2.0
#include "exposure/exposed_page.h"

#include <algorithm>

namespace pefsim::exposure {

namespace {

/// Makes two of an extent of a leaf. \returns the first, which ends at `where`
template <class Leaf>
typename Leaf::iterator cut(Leaf& in, typename Leaf::iterator what, std::uint16_t where) {
    const auto whole = *what;
    what->begin = where;
    what = in.insert(what, whole);
    what->end = where;
    return what;
}

}  // namespace

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

// What is put into a leaf travels in scalars and is stored field by field: an extent that is assembled on the stack and
// then copied as a whole costs a failed store-to-load forwarding, more than all the rest.
void exposed_page::extent::become(std::uint16_t new_begin, std::uint16_t new_end, std::uint32_t by,
                                  std::uint32_t through, std::uint64_t when) {
    begin = new_begin;
    end = new_end;
    last_reader = 0;
    reads = 0;
    account = by;
    mapping = through;
    written = when;
}

// Replaces what lies in [begin, end). The neighbours that tell the same story become part of it.
void exposed_page::write(leaf& in, std::uint16_t begin, std::uint16_t end, const act& by,
                         exposure_accounts& accounts) {
    if (in.size() == 1 && in[0].begin == begin && in[0].end == end) {
        accounts.drop(in[0].account, in[0].mapping, in[0].reads == 0, end - begin);
        in[0].become(begin, end, by.account, by.mapping, by.when);
        return;
    }
    auto first = std::ranges::upper_bound(in, begin, {}, &extent::end);
    if (first != in.end() && first->begin < begin) {
        const std::uint16_t around_end = first->end;
        accounts.drop(first->account, first->mapping, first->reads == 0, std::min(around_end, end) - begin);
        if (around_end > end) {
            const extent around = *first;
            first->end = begin;
            first = in.insert(first + 1, around);
            first->begin = end;
        } else {
            first->end = begin;
            ++first;
        }
    }
    auto last = first;
    for (; last != in.end() && last->end <= end; ++last) {
        accounts.drop(last->account, last->mapping, last->reads == 0, last->end - last->begin);
    }
    if (last != in.end() && last->begin < end) {
        accounts.drop(last->account, last->mapping, last->reads == 0, end - last->begin);
        last->begin = end;
    }
    const auto same_story = [&by](const extent& e) {
        return e.account == by.account && e.mapping == by.mapping && e.reads == 0;
    };
    std::uint64_t when = by.when;
    if (first != in.begin() && (first - 1)->end == begin && same_story(*(first - 1))) {
        --first;
        begin = first->begin;
        when = std::max(when, first->written);
    }
    if (last != in.end() && last->begin == end && same_story(*last)) {
        end = last->end;
        when = std::max(when, last->written);
        ++last;
    }
    if (first == last) {
        first = in.insert(first, extent{});
    } else if (first + 1 != last) {
        in.erase(first + 1, last);
    }
    first->become(begin, end, by.account, by.mapping, when);
}

void exposed_page::write(std::uint32_t begin, std::uint32_t end, const act& by, exposure_accounts& accounts) {
    while (begin < end) {
        const std::uint32_t base = begin / leaf_size * leaf_size;
        const std::uint32_t part_end = std::min(end, base + leaf_size);
        write(leaves_[begin / leaf_size], static_cast<std::uint16_t>(begin - base),
              static_cast<std::uint16_t>(part_end - base), by, accounts);
        begin = part_end;
    }
}

void exposed_page::read(leaf& in, std::uint16_t begin, std::uint16_t end, std::uint16_t reader,
                        exposure_accounts& accounts) {
    auto at = in.size() == 1 ? in.begin() : std::ranges::upper_bound(in, begin, {}, &extent::end);
    // Whether `e` became part of the extent before it; what followed it is in its place then.
    const auto joined = [&in](const leaf::iterator& e) {
        if (e == in.begin() || e == in.end() || (e - 1)->end != e->begin || !(e - 1)->same_story(*e)) {
            return false;
        }
        (e - 1)->end = e->end;
        (e - 1)->written = std::max((e - 1)->written, e->written);
        in.erase(e);
        return true;
    };
    while (at != in.end() && at->begin < end && at->end > begin) {
        if (at->begin < begin) {
            at = cut(in, at, begin) + 1;
        }
        if (at->end > end) {
            const extent* const neighbour = at == in.begin() ? nullptr : &*(at - 1);
            if (neighbour != nullptr && neighbour->end == at->begin && neighbour->account == at->account &&
                neighbour->mapping == at->mapping && neighbour->reads == at->reads + 1 &&
                neighbour->last_reader == reader) {
                // Commonest where structures are read one after the other: the border moves, nothing else.
                accounts.read(at->mapping, end - at->begin);
                (at - 1)->end = end;
                (at - 1)->written = std::max((at - 1)->written, at->written);
                at->begin = end;
                return;
            }
            at = cut(in, at, end);
        }
        accounts.read(at->mapping, at->end - at->begin);
        ++at->reads;
        at->last_reader = reader;
        at += joined(at) ? 0 : 1;
    }
    joined(at);
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

std::uint64_t exposed_page::belong(leaf& in, std::uint16_t begin, std::uint16_t end, std::uint32_t mapping) {
    std::uint64_t bytes = 0;
    for (auto at = std::ranges::upper_bound(in, begin, {}, &extent::end); at != in.end() && at->begin < end;
         ++at) {
        if (at->begin < begin) {
            at = cut(in, at, begin) + 1;
        }
        if (at->end > end) {
            at = cut(in, at, end);
        }
        at->mapping = mapping;
        bytes += at->end - at->begin;
    }
    return bytes;
}

std::uint64_t exposed_page::belong(std::uint32_t begin, std::uint32_t end, std::uint32_t mapping) {
    std::uint64_t bytes = 0;
    while (begin < end) {
        const std::uint32_t base = begin / leaf_size * leaf_size;
        const std::uint32_t part_end = std::min(end, base + leaf_size);
        bytes += belong(leaves_[begin / leaf_size], static_cast<std::uint16_t>(begin - base),
                        static_cast<std::uint16_t>(part_end - base), mapping);
        begin = part_end;
    }
    return bytes;
}

void exposed_page::clear(exposure_accounts& accounts) {
    for (leaf& in : leaves_) {
        for (const extent& e : in) {
            accounts.drop(e.account, e.mapping, e.reads == 0, e.end - e.begin);
        }
        in.clear();
    }
}

}  // namespace pefsim::exposure
