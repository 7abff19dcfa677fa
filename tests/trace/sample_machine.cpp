// SPDX-License-Identifier: Apache-2.0
#include "tests/trace/sample_machine.h"

#include <algorithm>
#include <bit>
#include <bitset>

namespace pefsim::trace {

namespace {

struct shape {
    std::string_view name;
    std::string_view type;
    unsigned width;
    std::string_view initial;
};
constexpr shape shapes[] = {
    {"secure", "wire", 1, "0"},     {"index[15:0]", "wire", 16, "0"}, {"address[63:0]", "wire", 64, "0"},
    {"state", "string", 1, "idle"}, {"call", "string", 1, ""},        {"doorbell", "event", 1, ""},
};
constexpr unsigned event_index = 5;

constexpr std::string_view calls[] = {"", "UV_SHARE_PAGE", "H_PUT_TCE", "what's \"that\"?", "a\\b"};
constexpr std::string_view calls_escaped[] = {"", "UV_SHARE_PAGE", "H_PUT_TCE",
                                              "what\\'s\\040\\\"that\\\"\\?", "a\\\\b"};

std::string binary(std::uint64_t value) {
    std::string digits = std::bitset<64>(value).to_string();
    return digits.substr(std::min<std::size_t>(digits.find('1'), 63));
}

}  // namespace

sample_module::sample_module(recorder& to, std::string scope)
    : scope_(std::move(scope)),
      secure_(to, scope_, "secure", "MSR[S]"),
      index_(to, scope_, "index", "ring index"),
      address_(to, scope_, "address", "buffer"),
      state_(to, scope_, "state", "of the request"),
      call_(to, scope_, "call", "what the guest calls"),
      doorbell_(to, scope_, "doorbell", "notification") {}

template <class T>
void sample_module::change(signal<T>& which, T to, const sc_core::sc_time& when, unsigned index,
                           std::string text) {
    notes_[index].push_back({when.value(), std::move(text)});
    which.set(to, when);
}

void sample_module::change(unsigned which, std::uint64_t value, const sc_core::sc_time& when) {
    switch (which) {
    case 0:
        change(secure_, (value & 1) != 0, when, 0, (value & 1) != 0 ? "1" : "0");
        break;
    case 1:
        change(index_, static_cast<std::uint16_t>(value), when, 1, binary(value & 0xFFFF));
        break;
    case 2:
        change(address_, abi::phys_addr{value}, when, 2, binary(value));
        break;
    case 3: {
        const auto state = static_cast<request_state>(value % 4);
        change(state_, state, when, 3,
               state == request_state::copying_out ? "copying\\040out" : std::string(to_name(state)));
        break;
    }
    case 4:
        change(call_, calls[value % std::size(calls)], when, 4,
               std::string(calls_escaped[value % std::size(calls)]));
        break;
    default:
        doorbell_.fire(when);
        notes_[event_index].push_back({when.value(), "1"});
    }
}

void sample_module::expect(std::map<std::string, vcd_content::variable>& in, std::uint64_t begin,
                           std::uint64_t end) const {
    for (unsigned i = 0; i < signals; ++i) {
        vcd_content::variable& variable = in[scope_ + '.' + std::string(shapes[i].name)];
        variable.type = shapes[i].type;
        variable.width = shapes[i].width;
        const bool event = i == event_index;
        std::string initial(shapes[i].initial);
        std::string in_force = initial;
        std::vector<vcd_content::change> changes;
        std::vector<note> notes = notes_[i];
        std::ranges::stable_sort(notes, {}, &note::time);
        for (const note& n : notes) {
            const bool before = event ? n.time < begin : n.time <= begin;
            if (!before && n.time <= end && (event || n.value != in_force)) {
                changes.push_back({n.time, n.value});
            }
            if (before) {
                initial = n.value;
            }
            in_force = n.value;
        }
        if (!event) {
            variable.changes.push_back({begin, initial});
        }
        variable.changes.insert(variable.changes.end(), changes.begin(), changes.end());
    }
}

}  // namespace pefsim::trace
