// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace pefsim::trace {

/// Puts changes that arrive out of order into order of time, those of equal time in order of arrival.
///
/// Each process that runs ahead reports its own changes in order of time, so what arrives is a few dozen
/// sorted runs per quantum. They are collected and merged a few thousand changes at a time, which costs some
/// 20 ns a change.
class reorder_buffer {
public:
    struct change {
        std::uint64_t time;
        union {
            std::uint64_t number;
            const char* text;
        };
        std::uint32_t id;
        std::uint32_t length;  ///< of text

        static change of_number(std::uint64_t at, std::uint32_t signal, std::uint64_t value) {
            change c{at, {value}, signal, 0};
            return c;
        }
        static change of_text(std::uint64_t at, std::uint32_t signal, std::string_view value) {
            change c{at, {0}, signal, static_cast<std::uint32_t>(value.size())};
            c.text = value.data();
            return c;
        }
    };

    reorder_buffer();

    void add(const change& c) {
        if (c.time < latest_) {
            run_ends_.push_back(changes_.size());
        }
        latest_ = c.time;
        changes_.push_back(c);
    }
    /// Time to release what can be released.
    [[nodiscard]] bool full() const { return changes_.size() >= limit_; }

    /// Calls write(change), in order, for all changes that are not later than `up_to`, and keeps the others.
    template <class Write>
    void release(std::uint64_t up_to, Write write) {
        sort();
        std::size_t written = 0;
        while (written < changes_.size() && changes_[written].time <= up_to) {
            write(changes_[written++]);
        }
        discard(written);
    }

private:
    void sort();
    void discard(std::size_t first);

    std::vector<change> changes_;
    std::vector<change> scratch_;
    std::vector<std::size_t> run_ends_;  // of all runs but the last
    std::uint64_t latest_ = 0;
    std::size_t limit_;
};

}  // namespace pefsim::trace
