// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>
#include <vector>

namespace pefsim::interrupt {

/// What callers ahead of simulation time ask for, held back until simulation time, or a caller that is later still,
/// reaches it. Acts are performed in order of time, those of one time in the order in which they came.
///
/// `perform` is a function of an act and its time; it may schedule more.
template <class Act>
class held_back {
public:
    explicit held_back(const char* event_name) : due_(event_name) { later_.reserve(64); }

    /// The first of them is due: the owner's process calls perform_due().
    [[nodiscard]] const sc_core::sc_event& due() const { return due_; }

    /// Performs it at once when its time has come and no other is held back.
    template <class Perform>
    void schedule(const sc_core::sc_time& at, const Act& act, const Perform& perform) {
        if (later_.empty() && at <= sc_core::sc_time_stamp()) {
            perform(act, at);
            return;
        }
        auto place = later_.end();
        while (place != later_.begin() && (place - 1)->at <= at) {
            --place;
        }
        const bool next = place == later_.end();
        later_.insert(place, {at, act});
        if (next) {
            const sc_core::sc_time& now = sc_core::sc_time_stamp();
            due_.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
        }
    }
    template <class Perform>
    void perform_until(const sc_core::sc_time& when, const Perform& perform) {
        while (!later_.empty() && later_.back().at <= when) {
            const entry what = later_.back();
            later_.pop_back();
            perform(what.act, what.at);
        }
    }
    template <class Perform>
    void perform_due(const Perform& perform) {
        const sc_core::sc_time& now = sc_core::sc_time_stamp();
        perform_until(now, perform);
        if (!later_.empty()) {
            due_.notify(later_.back().at - now);
        }
    }

private:
    struct entry {
        sc_core::sc_time at;
        Act act;
    };
    std::vector<entry> later_;  // latest first
    sc_core::sc_event due_;
};

}  // namespace pefsim::interrupt
