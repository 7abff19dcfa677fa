// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "firmware/pci_address.h"
#include "firmware/rtas_service.h"

/// RTAS for PCI configuration space. PAPR 2.8, 7.3.4. Values are numbers; configuration space is little-endian.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

constexpr bool valid_size(std::uint32_t offset, std::uint32_t size) {
    return (size == 1 || size == 2 || size == 4) && offset % size == 0;
}

rtas_status read(parts& here, const rtas_call& of, std::uint64_t unit, std::uint32_t size) {
    const std::uint32_t offset = pci_address::of(of.argument(0)).offset;
    pci::pci_function* function = function_at(here.bridge, of.argument(0), unit);
    if (function == nullptr || !valid_size(offset, size)) {
        of.result(0, ~std::uint32_t{0});
        return rtas_status::parameter_error;
    }
    of.result(0, function->config_read(offset, size));
    return rtas_status::success;
}

rtas_status write(parts& here, const rtas_call& of, std::uint64_t unit, std::uint32_t size,
                  std::uint32_t value) {
    const std::uint32_t offset = pci_address::of(of.argument(0)).offset;
    pci::pci_function* function = function_at(here.bridge, of.argument(0), unit);
    if (function == nullptr || !valid_size(offset, size)) {
        return rtas_status::parameter_error;
    }
    function->config_write(offset, size, value);
    return rtas_status::success;
}

// Without a unit ID: of the only bridge.
rtas_status read_pci_config(parts& here, const rtas_call& of) {
    return read(here, of, abi::platform::bridge_unit, of.argument(1));
}
rtas_status write_pci_config(parts& here, const rtas_call& of) {
    return write(here, of, abi::platform::bridge_unit, of.argument(1), of.argument(2));
}
rtas_status ibm_read_pci_config(parts& here, const rtas_call& of) {
    return read(here, of, of.wide_argument(1), of.argument(3));
}
rtas_status ibm_write_pci_config(parts& here, const rtas_call& of) {
    return write(here, of, of.wide_argument(1), of.argument(3), of.argument(4));
}

constexpr std::array rows{
    rtas_service{abi::rtas::read_pci_config, read_pci_config},
    rtas_service{abi::rtas::write_pci_config, write_pci_config},
    rtas_service{abi::rtas::ibm_read_pci_config, ibm_read_pci_config},
    rtas_service{abi::rtas::ibm_write_pci_config, ibm_write_pci_config},
};

}  // namespace

std::span<const rtas_service> pci_configuration_services() { return rows; }

}  // namespace pefsim::firmware
