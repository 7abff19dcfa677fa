// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <systemc>
#include <type_traits>

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
          registration_(
              to, {std::string(scope), std::string(name), type(), width(), std::string(description)}, *this) {
    }
    signal(const signal&) = delete;
    signal& operator=(const signal&) = delete;

    /// Who tells may run ahead of others who tell of the same signal, so what equals the value told last may still be a
    /// change: the recorder leaves out what is none, once it is in order.
    void set(T value, const sc_core::sc_time& when) {
        value_ = value;
        if (recorder_.recording()) [[unlikely]] {
            recorder_.change(registration_.id(), current(), when);
        }
    }
    /// The value told last, which need not be the latest.
    [[nodiscard]] T value() const { return value_; }
    [[nodiscard]] signal_value current() const override {
        if constexpr (named_enum<T>) {
            return {static_cast<std::uint64_t>(value_), to_name(value_)};
        } else if constexpr (std::is_same_v<T, std::string_view>) {
            return {0, value_};
        } else if constexpr (is_address) {
            return {value_.value(), {}};
        } else {
            return {static_cast<std::uint64_t>(value_), {}};
        }
    }

private:
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
        if (recorder_.recording()) [[unlikely]] {
            recorder_.change(registration_.id(), {1, {}}, when);
        }
    }
    [[nodiscard]] signal_value current() const override { return {}; }

private:
    recorder& recorder_;
    signal_registration registration_;
};

}  // namespace pefsim::trace
