// SPDX-License-Identifier: Apache-2.0
#include "platform/power/host_attack.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "abi/ucall.h"
#include "hypervisor/hostile_host.h"
#include "platform/power/host_look.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

using abi::u_status;

constexpr std::array acts{
    std::pair{std::string_view("tamper"), host_act::tamper},
    std::pair{std::string_view("replay"), host_act::replay},
    std::pair{std::string_view("swap"), host_act::swap},
    std::pair{std::string_view("take_page"), host_act::take_page},
    std::pair{std::string_view("take_slot"), host_act::take_slot},
    std::pair{std::string_view("terminate"), host_act::terminate},
};

host_act act_of(std::string_view name) {
    std::string known;
    for (const auto& [each, act] : acts) {
        if (each == name) {
            return act;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", each);
    }
    throw std::invalid_argument(fmt::format("'{}' is none of {}", name, known));
}

/// What remains to be done to a ciphertext once its page is out.
std::string done(bool written) { return written ? "done" : "the bus refused"; }

std::string replay(hypervisor::hostile_host& host, abi::gfn page, sc_core::sc_time& delay) {
    const std::vector<std::byte> old = host.save(page, delay);
    for (const u_status status : {host.page_in(page, delay), host.page_out(page, delay)}) {
        if (status != u_status::u_success) {
            return std::string(abi::to_name(status));
        }
    }
    return done(!old.empty() && host.replay(page, old, delay));
}

std::string on_ciphertext(host_act act, hypervisor::hostile_host& host, abi::gfn page,
                          sc_core::sc_time& delay) {
    if (const u_status status = host.page_out(page, delay); status != u_status::u_success) {
        return std::string(abi::to_name(status));
    }
    if (act == host_act::tamper) {
        return done(host.tamper(page, 0, delay));
    }
    if (act == host_act::replay) {
        return replay(host, page, delay);
    }
    if (const u_status status = host.page_out(page + 1, delay); status != u_status::u_success) {
        return std::string(abi::to_name(status));
    }
    return done(host.swap(page, page + 1, delay));
}

std::string carry_out(machine& machine, const host_attack& what) {
    hypervisor::hostile_host host(machine.host());
    const abi::gfn page = abi::gfn_of(abi::phys_addr{what.address});
    sc_core::sc_time delay;
    switch (what.act) {
    case host_act::take_page:
        return std::string(abi::to_name(host.invalidate(page, delay)));
    case host_act::take_slot:
        return std::string(abi::to_name(host.take_slot(page, delay)));
    case host_act::terminate:
        return std::string(abi::to_name(host.terminate(delay)));
    case host_act::tamper:
    case host_act::replay:
    case host_act::swap:
        break;
    }
    return on_ciphertext(what.act, host, page, delay);
}

}  // namespace

host_attack host_attack::parse(std::string_view text, const power::debug::symbol_lookup& symbols) {
    const std::size_t colon = text.find(':');
    const std::size_t at = text.rfind('@');
    if (colon == std::string_view::npos || at == std::string_view::npos || at < colon) {
        throw std::invalid_argument(fmt::format("'{}' is not ACT:PLACE@TIME", text));
    }
    return {.text = std::string(text),
            .act = act_of(text.substr(0, colon)),
            .address = physical_place(text.substr(colon + 1, at - colon - 1), symbols),
            .when = parse_duration(text.substr(at + 1))};
}

void attack(machine& machine, attack_outcome& outcome) {
    sc_core::sc_spawn([&machine, &outcome] {
        sc_core::wait(outcome.what.when);
        outcome.outcome = carry_out(machine, outcome.what);
    });
}

nlohmann::ordered_json to_json(const attack_outcome& what) {
    return {{"attack", what.what.text}, {"outcome", what.outcome}};
}

}  // namespace pefsim::platform
