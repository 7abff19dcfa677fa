// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "abi/address.h"

/// Ultracalls (`sc 2`): numbers, return codes and who may call. Documentation/powerpc/ultravisor.rst of the kernel;
/// values of the return codes from the public Ultravisor's uapi header, which makes the names the contract.
///
/// R3 holds the number, R4.. the arguments; on return R3 holds the status, R4.. the results. UV_READ_MEM, UV_WRITE_MEM
/// and UV_ESMB_GET_FILE stand in no documentation: they are what the public Ultravisor's core/uvcall.c and the last
/// one's caller, svm-tools' esmb-get-file, have.
namespace pefsim::abi {

enum class ucall : std::uint64_t {
    uv_write_pate = 0xf104,
    uv_restricted_spr_write = 0xf108,
    uv_restricted_spr_read = 0xf10c,
    uv_esm = 0xf110,
    uv_return = 0xf11c,
    uv_register_mem_slot = 0xf120,
    uv_unregister_mem_slot = 0xf124,
    uv_page_in = 0xf128,
    uv_page_out = 0xf12c,
    uv_share_page = 0xf130,
    uv_unshare_page = 0xf134,
    uv_page_inval = 0xf138,
    uv_svm_terminate = 0xf13c,
    uv_unshare_all_pages = 0xf140,
    uv_read_mem = 0xf144,
    uv_write_mem = 0xf148,
    uv_esmb_get_file = 0xf14c,
};

/// Return codes of ultracalls in R3. U_INVALID, U_NO_KEY and U_BUSY have names in the documentation but no agreed
/// value: U_INVALID and U_NO_KEY take the hypercall values of the same meaning.
enum class u_status : std::int64_t {
    u_success = 0,
    u_busy = 1,
    u_function = -2,
    u_parameter = -4,
    u_retry = -5,
    u_permission = -11,
    u_p2 = -55,
    u_p3 = -56,
    u_p4 = -57,
    u_p5 = -58,
    u_bad_mode = -59,
    u_invalid = -60,
    u_no_key = -61,
    u_state = -75,
};

constexpr std::string_view to_name(u_status status) {
    switch (status) {
    case u_status::u_success:
        return "U_SUCCESS";
    case u_status::u_busy:
        return "U_BUSY";
    case u_status::u_function:
        return "U_FUNCTION";
    case u_status::u_parameter:
        return "U_PARAMETER";
    case u_status::u_retry:
        return "U_RETRY";
    case u_status::u_permission:
        return "U_PERMISSION";
    case u_status::u_p2:
        return "U_P2";
    case u_status::u_p3:
        return "U_P3";
    case u_status::u_p4:
        return "U_P4";
    case u_status::u_p5:
        return "U_P5";
    case u_status::u_bad_mode:
        return "U_BAD_MODE";
    case u_status::u_invalid:
        return "U_INVALID";
    case u_status::u_no_key:
        return "U_NO_KEY";
    case u_status::u_state:
        return "U_STATE";
    }
    return "?";
}

/// Who may make an ultracall, by MSR(S,HV,PR).
enum class ucall_caller : std::uint8_t {
    hypervisor,  ///< HV=1, PR=0
    os,          ///< HV=0, PR=0, secure or not
    secure_os,   ///< S=1, HV=0, PR=0
    secure,      ///< S=1, HV=0: a program of the secure guest, too
};

struct ucall_declaration {
    ucall number;
    std::string_view name;
    ucall_caller caller;
    unsigned n_arguments;
};

inline constexpr std::array ucall_declarations{
    ucall_declaration{ucall::uv_write_pate, "UV_WRITE_PATE", ucall_caller::hypervisor, 3},
    ucall_declaration{ucall::uv_restricted_spr_write, "UV_RESTRICTED_SPR_WRITE", ucall_caller::hypervisor, 2},
    ucall_declaration{ucall::uv_restricted_spr_read, "UV_RESTRICTED_SPR_READ", ucall_caller::hypervisor, 1},
    ucall_declaration{ucall::uv_esm, "UV_ESM", ucall_caller::os, 2},
    ucall_declaration{ucall::uv_return, "UV_RETURN", ucall_caller::hypervisor, 0},
    ucall_declaration{ucall::uv_register_mem_slot, "UV_REGISTER_MEM_SLOT", ucall_caller::hypervisor, 5},
    ucall_declaration{ucall::uv_unregister_mem_slot, "UV_UNREGISTER_MEM_SLOT", ucall_caller::hypervisor, 2},
    ucall_declaration{ucall::uv_page_in, "UV_PAGE_IN", ucall_caller::hypervisor, 5},
    ucall_declaration{ucall::uv_page_out, "UV_PAGE_OUT", ucall_caller::hypervisor, 5},
    ucall_declaration{ucall::uv_share_page, "UV_SHARE_PAGE", ucall_caller::secure_os, 2},
    ucall_declaration{ucall::uv_unshare_page, "UV_UNSHARE_PAGE", ucall_caller::secure_os, 2},
    ucall_declaration{ucall::uv_page_inval, "UV_PAGE_INVAL", ucall_caller::hypervisor, 3},
    ucall_declaration{ucall::uv_svm_terminate, "UV_SVM_TERMINATE", ucall_caller::hypervisor, 1},
    ucall_declaration{ucall::uv_unshare_all_pages, "UV_UNSHARE_ALL_PAGES", ucall_caller::secure_os, 0},
    ucall_declaration{ucall::uv_read_mem, "UV_READ_MEM", ucall_caller::hypervisor, 4},
    ucall_declaration{ucall::uv_write_mem, "UV_WRITE_MEM", ucall_caller::hypervisor, 4},
    ucall_declaration{ucall::uv_esmb_get_file, "UV_ESMB_GET_FILE", ucall_caller::secure, 9},
};

/// Index of `number` in ucall_declarations, or ucall_declarations.size() for an unknown number.
constexpr std::size_t ucall_row(std::uint64_t number) {
    std::size_t row = 0;
    while (row < ucall_declarations.size() &&
           static_cast<std::uint64_t>(ucall_declarations[row].number) != number) {
        ++row;
    }
    return row;
}

/// The call's name, "unknown ultracall" for an unknown number.
constexpr std::string_view ucall_name(std::uint64_t number) {
    const std::size_t row = ucall_row(number);
    return row < ucall_declarations.size() ? ucall_declarations[row].name : "unknown ultracall";
}

/// The only page order that the Ultravisor accepts: 64 KiB.
inline constexpr std::uint64_t uv_page_order = 16;

/// Where the host keeps guest memory in normal (real) memory: the host's page behind guest physical address A stands at
/// real address normal_memory_base + A. Real addresses are what src_ra of UV_PAGE_IN and dest_ra of UV_PAGE_OUT name;
/// real address 0 is never valid there.
inline constexpr std::uint64_t normal_memory_base = std::uint64_t{1} << 45;
constexpr std::uint64_t normal_real_address(phys_addr at) { return normal_memory_base + at.value(); }

/// UV_PAGE_OUT: the hypervisor wants a copy, the page stays with the guest.
inline constexpr std::uint64_t uv_snapshot = 1;

}  // namespace pefsim::abi
