// SPDX-License-Identifier: Apache-2.0
#include "platform/power/state_dump.h"

#include <fmt/format.h>

#include "power/debug/register_file.h"

namespace pefsim::platform {
namespace {

std::string hexadecimal(std::uint64_t value, unsigned bits) {
    return fmt::format("{:#0{}x}", value, bits / 4 + 2);
}

}  // namespace

std::string_view to_name(cpu::power_cpu::ending ending) {
    using enum cpu::power_cpu::ending;
    switch (ending) {
    case none:
        return "running";
    case terminated:
        return "terminated";
    case attention:
        return "attn";
    case controlled:
        return "stopped";
    case instruction_limit:
        return "instruction_limit";
    case lost:
        return "lost";
    }
    return "?";
}

nlohmann::ordered_json state_of(cpu::power_cpu& core) {
    namespace debug = power::debug;
    nlohmann::ordered_json dump{{"number", core.number()}};
    nlohmann::ordered_json special = nlohmann::ordered_json::object();
    constexpr std::size_t not_special = 5;  // nip, msr, cr, fpscr, vscr
    std::size_t row = 0;
    for (const debug::single_register& each : debug::single_registers()) {
        nlohmann::ordered_json& place = row++ < not_special ? dump : special;
        place[std::string(each.name)] = hexadecimal(debug::read_register(core.engine(), each), each.bits);
    }
    for (const std::uint64_t each : core.state().gpr) {
        dump["gpr"].push_back(hexadecimal(each, 64));
    }
    for (const power::vector_register& each : core.state().vsr) {
        dump["vsr"].push_back(fmt::format("{:#018x}{:016x}", each.high, each.low));
    }
    dump["spr"] = std::move(special);
    dump["reservation"] = nullptr;
    dump["ended"] = to_name(core.ended());
    dump["instructions"] = core.engine().instructions();
    return dump;
}

}  // namespace pefsim::platform
