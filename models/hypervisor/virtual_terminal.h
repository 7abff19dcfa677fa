// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/metrics.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::hypervisor {

/// The guest's virtual terminal (PAPR 2.8, 16.6): what it prints, and what has been typed to it.
///
/// Its interrupt is an edge when the queue of typed characters becomes other than empty, while the guest has it enabled
/// (H_VIO_SIGNAL). It is enabled at the begin, which PAPR leaves open: Linux's hvc_vio never asks for it, and QEMU
/// presents it without having been asked.
class virtual_terminal {
public:
    static constexpr std::size_t characters_per_call = 16;

    virtual_terminal(trace::recorder& recorder, std::string_view scope);

    // --- for the guest's hypercalls
    void put(std::span<const char> characters, const sc_core::sc_time& when);
    /// Takes at most `characters.size()` typed characters. \returns how many
    std::size_t get(std::span<char> characters);
    /// H_VIO_SIGNAL. To enable it is no edge, whatever has been typed.
    void enable_interrupt(bool enabled) { interrupt_enabled_ = enabled; }

    // --- for whoever watches
    void type(std::string_view characters);
    /// Typed characters that the guest has not taken yet.
    [[nodiscard]] std::size_t untaken() const { return typed_.size(); }
    /// Those that it has taken.
    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    /// Everything that the guest has printed.
    [[nodiscard]] const std::string& output() const { return output_; }
    /// Called at each edge of the interrupt.
    void on_interrupt(std::function<void()> line);
    /// Called with what the guest prints, as it prints it.
    void on_output(std::function<void(std::string_view characters)> watcher);
    /// Called with each line that is complete, without its newline; so are those of earlier calls.
    void on_line(std::function<void(std::string_view line, const sc_core::sc_time& when)> watcher);

private:
    void line_complete(const sc_core::sc_time& when);

    trace::recorder& recorder_;
    std::string output_;
    std::size_t line_begin_ = 0;
    std::deque<char> typed_;
    std::uint64_t taken_ = 0;
    bool interrupt_enabled_ = true;
    std::function<void()> interrupt_;
    std::function<void(std::string_view)> output_watcher_;
    std::vector<std::function<void(std::string_view, const sc_core::sc_time&)>> watchers_;

    trace::signal<std::uint64_t> bytes_;
    trace::signal<std::string_view> line_;
    report::counter printed_;
    report::counter interrupts_;
};

}  // namespace pefsim::hypervisor
