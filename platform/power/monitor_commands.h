// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "power/debug/symbols.h"

namespace pefsim::platform {

class power_machine;

/// What a debugger's user may ask of the machine itself, by `monitor` in gdb: the state of a page, who wrote what
/// stands in it and who looked, what was counted, and whether instructions are recorded. Looking changes nothing.
///
/// A place is an effective address of the core that is looked from ("@0xc000000000001000"), a physical address, or a
/// symbol, meant as in real mode.
class monitor_commands {
public:
    /// Both outlive it.
    monitor_commands(power_machine& machine, const power::debug::symbol_lookup& symbols)
        : machine_(machine),
          symbols_(symbols) {}

    /// \param words command and arguments
    /// \returns lines for people; of a command that there is not, or that cannot be, one that says why
    std::string operator()(std::size_t core, std::string_view words);

    using arguments = std::string_view;
    std::string help(std::size_t core, arguments);
    std::string page(std::size_t core, arguments place);
    std::string ledger(std::size_t core, arguments place);
    std::string statistics(std::size_t core, arguments part_of_name);
    std::string trace(std::size_t core, arguments on_or_off);

private:
    [[nodiscard]] std::uint64_t physical(std::size_t core, std::string_view place) const;

    power_machine& machine_;
    const power::debug::symbol_lookup& symbols_;
};

}  // namespace pefsim::platform
