// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "tests/trace/vcd_reader.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::trace {

enum class request_state : std::uint8_t { idle, mapped, copying_out, waiting_for_device };
constexpr std::string_view to_name(request_state state) {
    constexpr std::string_view names[] = {"idle", "mapped", "copying out", "waiting_for_device"};
    return names[static_cast<std::size_t>(state)];
}

/// A module with one signal of each type, changed by processes that may run ahead of simulation time and of each other.
/// It notes every value that is told, so that a waveform can be compared with what happened.
class sample_module {
public:
    sample_module(recorder& to, std::string scope);

    /// A process tells at its own time: signal `which` has something that follows from `value`.
    void change(unsigned which, std::uint64_t value, const sc_core::sc_time& when);
    static constexpr unsigned signals = 6;

    /// What a VCD of everything that happened would say of this module, values in force at `begin` first.
    void expect(std::map<std::string, vcd_content::variable>& in, std::uint64_t begin,
                std::uint64_t end) const;

private:
    struct note {
        std::uint64_t time;
        std::string value;
    };
    template <class T>
    void change(signal<T>& which, T to, const sc_core::sc_time& when, unsigned index, std::string text);

    std::string scope_;
    signal<bool> secure_;
    signal<std::uint16_t> index_;
    signal<abi::phys_addr> address_;
    signal<request_state> state_;
    signal<std::string_view> call_;
    event_signal doorbell_;
    std::vector<note> notes_[signals];
};

}  // namespace pefsim::trace
