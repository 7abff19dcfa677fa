// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <systemc>
#include <vector>

#include "cpu/processor_if.h"

namespace pefsim::hypervisor {

/// A processor that executes nothing: it takes down what a supervisor does to it.
struct recorded_processor : cpu::processor_if {
    struct start_order {
        cpu::processor_start with;
        sc_core::sc_time when;
    };
    struct table {
        std::uint64_t base;
        unsigned size_exponent;
        friend bool operator==(const table&, const table&) = default;
    };

    bool idles = false;
    bool is_stopped = false;
    std::vector<sc_core::sc_time> woken{};
    std::vector<start_order> started{};
    std::uint64_t lpcr = 0;
    std::optional<table> process_table{};
    unsigned forgotten = 0;  ///< times that all translations were
    unsigned resets = 0;

    bool start(const cpu::processor_start& with, const sc_core::sc_time& when) override {
        if (!is_stopped) {
            return false;
        }
        is_stopped = false;
        started.push_back({with, when});
        return true;
    }
    bool stop() override {
        const bool ran = !is_stopped;
        is_stopped = true;
        return ran;
    }
    bool wake(const sc_core::sc_time& when) override {
        if (idles) {
            woken.push_back(when);
        }
        return idles;
    }
    [[nodiscard]] bool stopped() const override { return is_stopped; }
    [[nodiscard]] bool idle() const override { return idles; }
    void set_lpcr(std::uint64_t value, std::uint64_t mask) override {
        lpcr = (lpcr & ~mask) | (value & mask);
    }
    void use_process_table(std::uint64_t base, unsigned size_exponent) override {
        process_table = {base, size_exponent};
    }
    void forget_translations() override { ++forgotten; }
    void system_reset(const sc_core::sc_time& /*when*/) override { ++resets; }
};

}  // namespace pefsim::hypervisor
