// SPDX-License-Identifier: Apache-2.0
#include "report/violations.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <numeric>
#include <utility>

namespace pefsim::report {

namespace {

constexpr std::array<std::string_view, violation_kinds> kind_names{
    "refused_access",   "bad_address",         "iommu_fault",     "page_tampered",   "image_unverified",
    "call_refused",     "virtqueue_malformed", "device_protocol", "driver_protocol", "dma_mapping",
    "guest_terminated", "memory_taken",        "private_address", "shared_content",  "past_buffer"};
static_assert(static_cast<std::size_t>(violation_kind::past_buffer) + 1 == violation_kinds);

bool is_digit(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

/// `text` with a mark for each number, decimal or hexadecimal, that is no part of a name.
void append_without_numbers(std::string& to, std::string_view text) {
    constexpr char number = '#';
    bool in_word = false;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (!in_word && c >= '0' && c <= '9') {
            i += text.substr(i).starts_with("0x") ? 2 : 0;
            i = static_cast<std::size_t>(
                std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i), text.end(), is_digit) -
                text.begin());
            to += number;
        } else {
            to += c;
            ++i;
        }
        in_word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    }
}

}  // namespace

std::string_view to_name(violation_kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

std::string in_words(const violation& what) {
    std::string words = what.who;
    words += what.address != 0 || what.size != 0 ? fmt::format(" at {:#x}, {} B", what.address, what.size)
                                                 : "";
    words += what.page_state.empty() ? "" : fmt::format(", page {}", what.page_state);
    words += what.request == 0 ? "" : fmt::format(", request {}", what.request);
    words += what.detail.empty() ? "" : ": " + what.detail;
    return words;
}

void violation_log::report(violation what) {
    ++counts_[static_cast<std::size_t>(what.kind)];
    if (!is_note(what.kind)) {
        for (observer* by : observers_) {
            by->violated(what);
        }
    }
    add_to_group(what);
    if (kept_.size() < capacity) {
        kept_.push_back(std::move(what));
    }
}

void violation_log::add_to_group(const violation& what) {
    constexpr char between = '\n';
    key_.assign(1, static_cast<char>(what.kind));
    (key_ += what.who) += between;
    (key_ += what.page_state) += between;
    append_without_numbers(key_, what.detail);
    if (const auto found = group_of_.find(key_); found != group_of_.end()) {
        violation_group& group = groups_[found->second];
        ++group.count;
        group.last = std::max(group.last, what.when);
    } else if (groups_.size() < group_capacity) {
        group_of_.emplace(key_, groups_.size());
        groups_.push_back({.first = what, .last = what.when});
    }
}

std::uint64_t violation_log::notes() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        sum += is_note(static_cast<violation_kind>(i)) ? counts_[i] : 0;
    }
    return sum;
}

std::uint64_t violation_log::total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}) - notes();
}

}  // namespace pefsim::report
