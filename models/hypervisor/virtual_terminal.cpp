// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/virtual_terminal.h"

#include <algorithm>

namespace pefsim::hypervisor {

virtual_terminal::virtual_terminal(trace::recorder& recorder, std::string_view scope)
    : recorder_(recorder),
      bytes_(recorder, scope, "console_bytes", "characters that the guest has printed"),
      line_(recorder, scope, "console_line", "last complete line that the guest printed"),
      printed_(recorder.metrics(), scope, "console_bytes", "bytes", "printed on the virtual terminal"),
      interrupts_(recorder.metrics(), scope, "console_interrupts", "interrupts",
                  "raised by the virtual terminal: something was typed") {}

void virtual_terminal::put(std::span<const char> characters, const sc_core::sc_time& when) {
    for (const char character : characters) {
        output_ += character;
        if (character == '\n') {
            line_complete(when);
        }
    }
    if (output_watcher_) {
        output_watcher_(std::string_view(characters.data(), characters.size()));
    }
    printed_.add(characters.size());
    bytes_.set(output_.size(), when);
}

void virtual_terminal::line_complete(const sc_core::sc_time& when) {
    std::string_view line = std::string_view(output_).substr(line_begin_);
    line.remove_suffix(1);
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (recorder_.recording()) {
        line_.set(recorder_.intern(line), when);
    }
    for (const auto& watcher : watchers_) {
        watcher(line, when);
    }
    line_begin_ = output_.size();
}

std::size_t virtual_terminal::get(std::span<char> characters) {
    const std::size_t count = std::min(characters.size(), typed_.size());
    for (std::size_t n = 0; n < count; ++n) {
        characters[n] = typed_.front();
        typed_.pop_front();
    }
    taken_ += count;
    return count;
}

void virtual_terminal::type(std::string_view characters) {
    const bool edge = typed_.empty() && !characters.empty();
    typed_.insert(typed_.end(), characters.begin(), characters.end());
    if (edge && interrupt_enabled_ && interrupt_) {
        interrupts_.add();
        interrupt_();
    }
}

void virtual_terminal::on_interrupt(std::function<void()> line) { interrupt_ = std::move(line); }

void virtual_terminal::on_output(std::function<void(std::string_view)> watcher) {
    output_watcher_ = std::move(watcher);
}

void virtual_terminal::on_line(std::function<void(std::string_view, const sc_core::sc_time&)> watcher) {
    watchers_.push_back(std::move(watcher));
}

}  // namespace pefsim::hypervisor
