// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Hypercalls (`sc 1`): numbers, return codes and declared registers. PAPR chapter 14; the Ultravisor's calls to the
/// hypervisor (H_SVM_*) are from the kernel's Documentation/powerpc/ultravisor.rst.
///
/// R3 holds the number, R4.. the arguments; on return R3 holds the status, R4.. the results.
///
/// PAPR leaves the numbers from 0xf000 on to the platform. H_RTAS and H_CLIENT are what firmware's code in the guest
/// calls, with QEMU's numbers and the guest physical address of the argument block in R4 (abi/rtas.h, IEEE 1275).
/// H_EXIT is pefsim's own: R4 is the guest's exit status; the guest is ended, and the call does not return.
namespace pefsim::abi {

enum class hcall : std::uint64_t {
    h_get_tce = 0x1c,
    h_put_tce = 0x20,
    h_set_sprg0 = 0x24,
    h_set_dabr = 0x28,
    h_page_init = 0x2c,
    h_logical_ci_load = 0x3c,
    h_logical_ci_store = 0x40,
    h_get_term_char = 0x54,
    h_put_term_char = 0x58,
    h_eoi = 0x64,
    h_cppr = 0x68,
    h_ipi = 0x6c,
    h_xirr = 0x74,
    h_register_vpa = 0xdc,
    h_cede = 0xe0,
    h_confer = 0xe4,
    h_prod = 0xe8,
    h_vio_signal = 0x104,
    h_set_xdabr = 0x134,
    h_stuff_tce = 0x138,
    h_put_tce_indirect = 0x13c,
    h_get_cpu_characteristics = 0x1c8,
    h_join = 0x298,
    h_xirr_x = 0x2fc,
    h_random = 0x300,
    h_set_mode = 0x31c,
    h_register_proc_tbl = 0x37c,
    h_signal_sys_reset = 0x380,
    h_int_get_source_info = 0x3a8,
    h_int_set_source_config = 0x3ac,
    h_int_get_source_config = 0x3b0,
    h_int_get_queue_info = 0x3b4,
    h_int_set_queue_config = 0x3b8,
    h_int_get_queue_config = 0x3bc,
    h_int_set_os_reporting_line = 0x3c0,
    h_int_get_os_reporting_line = 0x3c4,
    h_int_esb = 0x3c8,
    h_int_sync = 0x3cc,
    h_int_reset = 0x3d0,
    h_rpt_invalidate = 0x448,
    h_svm_page_in = 0xef00,
    h_svm_page_out = 0xef04,
    h_svm_init_start = 0xef08,
    h_svm_init_done = 0xef0c,
    h_svm_init_abort = 0xef14,
    h_rtas = 0xf000,
    h_logical_memop = 0xf001,
    h_client = 0xf005,
    h_exit = 0xf0fc,
};

/// Return codes of hypercalls in R3.
enum class h_status : std::int64_t {
    h_success = 0,
    h_busy = 1,
    h_continue = 18,
    h_hardware = -1,
    h_function = -2,
    h_privilege = -3,
    h_parameter = -4,
    h_bad_mode = -5,
    h_not_found = -7,
    h_authority = -10,
    h_resource = -16,
    h_p2 = -55,
    h_p3 = -56,
    h_p4 = -57,
    h_p5 = -58,
    h_unsupported = -67,
    h_state = -75,
    h_unsupported_flag =
        -256,  ///< the first of 256: less the number of the flag's bit, where one can be named
};

/// One row of the register declaration: `n_in` registers from R3 on are the call's input, `n_out` from R3 on its
/// output. When a secure guest makes the call, the Ultravisor shows the hypervisor these inputs and takes back these
/// outputs only.
struct hcall_declaration {
    hcall number;
    std::string_view name;
    unsigned n_in;
    unsigned n_out;
};

inline constexpr std::array hcall_declarations{
    hcall_declaration{hcall::h_get_tce, "H_GET_TCE", 3, 2},
    hcall_declaration{hcall::h_put_tce, "H_PUT_TCE", 4, 1},
    hcall_declaration{hcall::h_logical_ci_load, "H_LOGICAL_CI_LOAD", 3, 2},
    hcall_declaration{hcall::h_logical_ci_store, "H_LOGICAL_CI_STORE", 4, 1},
    hcall_declaration{hcall::h_get_term_char, "H_GET_TERM_CHAR", 2, 4},
    hcall_declaration{hcall::h_put_term_char, "H_PUT_TERM_CHAR", 5, 1},
    hcall_declaration{hcall::h_eoi, "H_EOI", 2, 1},
    hcall_declaration{hcall::h_cppr, "H_CPPR", 2, 1},
    hcall_declaration{hcall::h_ipi, "H_IPI", 3, 1},
    hcall_declaration{hcall::h_xirr, "H_XIRR", 1, 2},
    hcall_declaration{hcall::h_register_vpa, "H_REGISTER_VPA", 4, 1},
    hcall_declaration{hcall::h_cede, "H_CEDE", 1, 1},
    hcall_declaration{hcall::h_confer, "H_CONFER", 3, 1},
    hcall_declaration{hcall::h_prod, "H_PROD", 2, 1},
    hcall_declaration{hcall::h_put_tce_indirect, "H_PUT_TCE_INDIRECT", 5, 1},
    hcall_declaration{hcall::h_stuff_tce, "H_STUFF_TCE", 5, 1},
    hcall_declaration{hcall::h_xirr_x, "H_XIRR_X", 2, 3},
    hcall_declaration{hcall::h_random, "H_RANDOM", 2, 2},
    hcall_declaration{hcall::h_get_cpu_characteristics, "H_GET_CPU_CHARACTERISTICS", 1, 3},
    hcall_declaration{hcall::h_set_mode, "H_SET_MODE", 5, 1},
    hcall_declaration{hcall::h_register_proc_tbl, "H_REGISTER_PROC_TBL", 5, 1},
    hcall_declaration{hcall::h_int_get_source_info, "H_INT_GET_SOURCE_INFO", 3, 5},
    hcall_declaration{hcall::h_int_set_source_config, "H_INT_SET_SOURCE_CONFIG", 6, 1},
    hcall_declaration{hcall::h_int_get_source_config, "H_INT_GET_SOURCE_CONFIG", 3, 4},
    hcall_declaration{hcall::h_int_get_queue_info, "H_INT_GET_QUEUE_INFO", 4, 3},
    hcall_declaration{hcall::h_int_set_queue_config, "H_INT_SET_QUEUE_CONFIG", 6, 1},
    hcall_declaration{hcall::h_int_get_queue_config, "H_INT_GET_QUEUE_CONFIG", 4, 5},
    hcall_declaration{hcall::h_int_set_os_reporting_line, "H_INT_SET_OS_REPORTING_LINE", 3, 1},
    hcall_declaration{hcall::h_int_get_os_reporting_line, "H_INT_GET_OS_REPORTING_LINE", 3, 2},
    hcall_declaration{hcall::h_int_esb, "H_INT_ESB", 5, 2},
    hcall_declaration{hcall::h_int_sync, "H_INT_SYNC", 3, 1},
    hcall_declaration{hcall::h_int_reset, "H_INT_RESET", 2, 1},
    hcall_declaration{hcall::h_svm_page_in, "H_SVM_PAGE_IN", 4, 1},
    hcall_declaration{hcall::h_svm_page_out, "H_SVM_PAGE_OUT", 4, 1},
    hcall_declaration{hcall::h_svm_init_start, "H_SVM_INIT_START", 1, 1},
    hcall_declaration{hcall::h_svm_init_done, "H_SVM_INIT_DONE", 1, 1},
    hcall_declaration{hcall::h_svm_init_abort, "H_SVM_INIT_ABORT", 1, 1},
    hcall_declaration{hcall::h_rtas, "H_RTAS", 2, 1},
    hcall_declaration{hcall::h_set_sprg0, "H_SET_SPRG0", 2, 1},
    hcall_declaration{hcall::h_set_dabr, "H_SET_DABR", 2, 1},
    hcall_declaration{hcall::h_set_xdabr, "H_SET_XDABR", 3, 1},
    hcall_declaration{hcall::h_page_init, "H_PAGE_INIT", 4, 1},
    hcall_declaration{hcall::h_join, "H_JOIN", 1, 1},
    hcall_declaration{hcall::h_signal_sys_reset, "H_SIGNAL_SYS_RESET", 2, 1},
    hcall_declaration{hcall::h_rpt_invalidate, "H_RPT_INVALIDATE", 7, 1},
    hcall_declaration{hcall::h_logical_memop, "H_LOGICAL_MEMOP", 6, 1},
    hcall_declaration{hcall::h_client, "H_CLIENT", 2, 1},
    hcall_declaration{hcall::h_exit, "H_EXIT", 2, 1},
    hcall_declaration{hcall::h_vio_signal, "H_VIO_SIGNAL", 3, 1},
};

/// Index of `number` in hcall_declarations, or hcall_declarations.size() for a number that has no declaration.
constexpr std::size_t hcall_row(std::uint64_t number) {
    std::size_t row = 0;
    while (row < hcall_declarations.size() &&
           static_cast<std::uint64_t>(hcall_declarations[row].number) != number) {
        ++row;
    }
    return row;
}

/// The PAPR name of the call with this row, "unknown hypercall" beyond the last.
constexpr std::string_view hcall_name_of_row(std::size_t row) {
    return row < hcall_declarations.size() ? hcall_declarations[row].name : "unknown hypercall";
}
/// The same by number.
constexpr std::string_view hcall_name(std::uint64_t number) { return hcall_name_of_row(hcall_row(number)); }

/// Flags of H_SVM_PAGE_IN: the guest shares the page, or does not (any more).
inline constexpr std::uint64_t h_page_in_nonshared = 0;
inline constexpr std::uint64_t h_page_in_shared = 1;

/// The value in a register of H_LOGICAL_CI_LOAD and H_LOGICAL_CI_STORE: the bytes of the access as a big-endian
/// integer, in the register's low bytes, whatever the byte order of the guest (PAPR 14.5.4.1; KVM). From the same bytes
/// as a little-endian integer, and back.
/// \param size bytes of the access: 1, 2, 4 or 8
constexpr std::uint64_t logical_ci_value(std::uint64_t little_endian, std::size_t size) {
    std::uint64_t reversed = 0;
    for (std::size_t byte = 0; byte < size; ++byte) {
        reversed = reversed << 8 | (little_endian >> (8 * byte) & 0xff);
    }
    return reversed;
}

/// Access permission in the low bits of a TCE (PAPR 14.5.4.2).
inline constexpr std::uint64_t tce_read = 1;
inline constexpr std::uint64_t tce_write = 2;

}  // namespace pefsim::abi
