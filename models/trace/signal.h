// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>
#include <type_traits>
#include <vector>

#include "abi/address.h"
#include "trace/recorder.h"

namespace pefsim::trace {

/// An enumeration that a trace shows by name: `to_name(value)` is found by argument-dependent lookup and
/// returns a string literal.
template <class T>
concept named_enum = std::is_enum_v<T> && requires(T value) {
    { to_name(value) } -> std::convertible_to<std::string_view>;
};

/// A value that a module shows in the waveform: bool, an unsigned integer, an address, an enumeration with
/// names, or a std::string_view that outlives the recorder (a literal or recorder::intern()).
///
/// Declared once, as a member of its module; `set` pushes a change, at the local time of whoever makes it.
template <class T>
class signal final : public signal_source {
public:
    /// \param scope hierarchical name of the module that owns it (sc_module::name())
    signal(recorder& to, std::string_view scope, std::string_view name, std::string_view description,
           T initial = {})
        : recorder_(to),
          value_(initial),
          latest_{0, initial},
          registration_(
              to, {std::string(scope), std::string(name), type(), width(), std::string(description)}, *this) {
    }
    signal(const signal&) = delete;
    signal& operator=(const signal&) = delete;

    void set(T value, const sc_core::sc_time& when) {
        value_ = value;
        if (recorded()) [[unlikely]] {
            tell(value, when.value());
        }
    }
    /// The value told last, which need not be the latest.
    [[nodiscard]] T value() const { return value_; }
    signal_value begin_recording() override {
        latest_ = {0, value_};
        left_out_.clear();
        return shown(value_);
    }

private:
    struct telling {
        std::uint64_t when;  ///< in units of SystemC's time resolution
        T value;
    };

    /// A value like the one before is no change and is left out, as most are. Who tells may run ahead of others who
    /// tell of the same signal, though: one of them may yet put another value between the two. Then, and when it is
    /// told for the same instant, what was left out is told after all; the recorder puts everything in order.
    void tell(T value, std::uint64_t when) {
        if (value == latest_.value && when >= latest_.when) {
            if (!left_out_.empty() && left_out_.back().when < recorder_.simulated().value()) {
                left_out_.clear();  // nobody tells of the past
            }
            left_out_.push_back({when, value});
            latest_.when = when;
            return;
        }
        if (when <= latest_.when && !left_out_.empty()) {
            tell_what_was_left_out();
        }
        if (when >= latest_.when) {
            latest_ = {when, value};
        }
        recorder_.change(change_to(value, when));
    }
    void tell_what_was_left_out() {
        for (const telling& each : left_out_) {
            if (each.when >= recorder_.simulated().value()) {
                recorder_.change(change_to(each.value, each.when));
            }
        }
        left_out_.clear();
    }

    [[nodiscard]] value_change change_to(T value, std::uint64_t when) const {
        const signal_value v = shown(value);
        // Only texts have characters; an empty one has no use for its pointer.
        return type() == signal_type::text && !v.text.empty()
                   ? value_change::of_text(when, registration_.id(), v.text)
                   : value_change::of_number(when, registration_.id(),
                                             type() == signal_type::text ? 0 : v.number);
    }
    static signal_value shown(T value) {
        if constexpr (named_enum<T>) {
            return {static_cast<std::uint64_t>(value), to_name(value)};
        } else if constexpr (std::is_same_v<T, std::string_view>) {
            return {0, value};
        } else if constexpr (is_address) {
            return {value.value(), {}};
        } else {
            return {static_cast<std::uint64_t>(value), {}};
        }
    }
    static constexpr bool is_address = std::is_same_v<T, abi::phys_addr> ||
                                       std::is_same_v<T, abi::dma_addr> ||
                                       std::is_same_v<T, abi::effective_addr>;
    static constexpr signal_type type() {
        if constexpr (std::is_same_v<T, bool>) {
            return signal_type::bit;
        } else if constexpr (named_enum<T> || std::is_same_v<T, std::string_view>) {
            return signal_type::text;
        } else if constexpr (is_address) {
            return signal_type::address;
        } else {
            static_assert(std::unsigned_integral<T>);
            return signal_type::unsigned_integer;
        }
    }
    static constexpr unsigned width() {
        return type() == signal_type::bit ? 1 : type() == signal_type::text ? 0 : 8 * sizeof(T);
    }

    recorder& recorder_;
    T value_;
    telling latest_;                 ///< while it is recorded: by its time, not by who told last
    std::vector<telling> left_out_;  ///< in order of time
    signal_registration registration_;
};

/// An instant without a value: a doorbell, an interrupt, a refused access.
class event_signal final : public signal_source {
public:
    event_signal(recorder& to, std::string_view scope, std::string_view name, std::string_view description)
        : recorder_(to),
          registration_(
              to, {std::string(scope), std::string(name), signal_type::event, 1, std::string(description)},
              *this) {}
    event_signal(const event_signal&) = delete;
    event_signal& operator=(const event_signal&) = delete;

    void fire(const sc_core::sc_time& when) {
        if (recorded()) [[unlikely]] {
            tell(when.value());
        }
    }
    signal_value begin_recording() override { return {}; }

private:
    [[gnu::noinline]] void tell(std::uint64_t when) {
        recorder_.change(value_change::of_number(when, registration_.id(), 1));
    }

    recorder& recorder_;
    signal_registration registration_;
};

}  // namespace pefsim::trace
