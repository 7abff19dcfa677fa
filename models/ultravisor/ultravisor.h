// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>

#include "abi/hcall.h"
#include "abi/ucall.h"
#include "cpu/traps.h"
#include "memory/memory_bus.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/violations.h"
#include "ultravisor/instruments.h"
#include "ultravisor/page_machine.h"
#include "ultravisor/random_stream.h"
#include "ultravisor/reflection.h"
#include "ultravisor/secure_vm.h"

namespace pefsim::ultravisor {

/// Where a guest's kernel finds itself when UV_ESM has succeeded.
enum class esm_entry : std::uint8_t {
    return_to_caller,  ///< after the `sc 2`, R3 = U_SUCCESS: for native guests
    kernel_entry,  ///< at kbase with R3 = fdt, R4 = kbase, R5 = 0, MSR[EE] = 0, as IBM's: for POWER guests
};

/// The Ultravisor: trusted firmware between a protected guest and the hypervisor (Protected Execution Facility).
///
/// Implements cpu::trap_if for the guest's CPUs and for the hypervisor: bind their ports to the module. Its own port
/// `hypervisor` takes the hypercalls of the secure guest, and those that it makes itself (H_SVM_*).
///
/// * Ultracalls: Documentation/powerpc/ultravisor.rst of the kernel; return codes and the order of the checks are the public
///   Ultravisor's where the documentation leaves them open (ultracalls.cpp has the table). A call that fails for any reason
///   but U_RETRY is a violation in the log (call_refused), with the reason.
/// * Pages: page_machine.h, page_crypto.h. The Ultravisor accounts for each change of a page's state.
/// * Hypercalls of the secure guest: reflection.h. H_RANDOM is answered here. H_SVM_* are not for guests, and undeclared
///   hypercalls would have no registers to show: both are refused with H_FUNCTION and a violation, so that a guest can
///   look for optional calls as it does on any hypervisor (the public Ultravisor ends the guest instead).
/// * Storage interrupts: MMIO becomes H_LOGICAL_CI_LOAD or H_LOGICAL_CI_STORE, its bytes a big-endian integer there; pages that
///   are out are asked for.
/// * A hypervisor that changes LPIDR, PIDR or the cookie, or cannot bring a page back, ends the guest: its memory is scrubbed,
///   every CPU of it finds trap_context::terminated or fault_outcome::terminated.
///
/// Time: each ultracall, reflection and page operation adds its cost to the caller's delay; the hypervisor adds its own.
///
/// Signals: vm_state, ultracall, hypercall, page, crypt_operations. Metrics: see instruments.h.
class ultravisor : public sc_core::sc_module, public cpu::trap_if {
public:
    struct config {
        timing::timing costs;
        std::uint64_t seed = 1;  ///< of page key, cookies, noise in hidden registers, and H_RANDOM
        esm_entry entry = esm_entry::return_to_caller;
    };

    /// Times that a page is asked for before the guest is ended.
    static constexpr unsigned max_page_in_tries = 4;

    sc_core::sc_port<cpu::trap_if> hypervisor;

    ultravisor(const sc_core::sc_module_name& name, trace::recorder& recorder, memory::memory_bus& bus,
               const config& parameters);

    [[nodiscard]] vm_state state() const { return vm_.state(); }

    void hypercall(power::registers& state, cpu::trap_context& context) override;
    void ultracall(power::registers& state, cpu::trap_context& context) override;
    cpu::fault_outcome storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                         cpu::trap_context& context) override;

private:
    /// What an ultracall comes to.
    struct answer {
        abi::u_status status = abi::u_status::u_success;
        std::string_view why{};     // of a failure: goes into the violation log
        std::uint64_t address = 0;  // that it is about
        trace::violation_kind kind = trace::violation_kind::call_refused;
        bool resumes_elsewhere = false;  // the caller's registers, R3 too, are already set
    };
    struct ultracall_row {
        abi::ucall number;
        answer (ultravisor::*serve)(power::registers& state, cpu::trap_context& context);
    };
    static const std::array<ultracall_row, 10> ultracall_table;

    struct hcall_answer {
        abi::h_status status = abi::h_status::h_hardware;
        std::uint64_t r4 = 0;
    };

    struct costs {
        explicit costs(const timing::timing& of);
        sc_core::sc_time ultracall;
        sc_core::sc_time reflection;
        sc_core::sc_time page_in;
        sc_core::sc_time crypt;  // one page
        sc_core::sc_time zero;
        sc_core::sc_time copy;
    };

    // ultracalls.cpp: dispatch, memory slots, termination
    answer dispatch(std::uint64_t number, power::registers& state, cpu::trap_context& context);
    answer uv_register_mem_slot(power::registers& state, cpu::trap_context& context);
    answer uv_unregister_mem_slot(power::registers& state, cpu::trap_context& context);
    answer uv_svm_terminate(power::registers& state, cpu::trap_context& context);
    void report_failure(std::uint64_t number, const answer& what, const power::registers& state,
                        const cpu::trap_context& context);
    [[nodiscard]] bool no_such_svm(std::uint64_t lpid) const;

    // esm.cpp: becoming secure
    answer uv_esm(power::registers& state, cpu::trap_context& context);
    std::optional<answer> move_to_secure_memory(abi::phys_addr kbase, abi::phys_addr fdt,
                                                const power::registers& state, cpu::trap_context& context);
    answer abort_esm(answer failure, const power::registers& state, cpu::trap_context& context);

    // paging.cpp: the hypervisor's UV_PAGE_*
    answer uv_page_in(power::registers& state, cpu::trap_context& context);
    answer uv_page_out(power::registers& state, cpu::trap_context& context);
    answer uv_page_inval(power::registers& state, cpu::trap_context& context);
    answer take_plain_page(abi::gfn from, abi::gfn page, cpu::trap_context& context);
    answer take_sealed_page(abi::gfn from, abi::gfn page, cpu::trap_context& context);
    answer take_shared_page(abi::gfn from, abi::gfn page, cpu::trap_context& context);
    answer give_page(abi::gfn page, abi::gfn to, cpu::trap_context& context);
    [[nodiscard]] std::optional<abi::gfn> normal_frame_at(std::uint64_t real_address) const;
    [[nodiscard]] std::optional<abi::gfn> page_at(std::uint64_t gpa) const;

    // sharing.cpp: the guest's UV_SHARE_PAGE and relatives
    answer uv_share_page(power::registers& state, cpu::trap_context& context);
    answer uv_unshare_page(power::registers& state, cpu::trap_context& context);
    answer uv_unshare_all_pages(power::registers& state, cpu::trap_context& context);
    [[nodiscard]] std::optional<answer> bad_range(abi::gfn first, std::uint64_t pages,
                                                  page_event event) const;
    bool ask_to_share(abi::gfn page, const power::registers& state, cpu::trap_context& context);
    void revert_share(abi::gfn first, abi::gfn end, const power::registers& state,
                      cpu::trap_context& context);
    bool release_from_hypervisor(abi::gfn page, const power::registers& state, cpu::trap_context& context);
    answer unshare(std::span<const abi::gfn> pages, const power::registers& state,
                   cpu::trap_context& context);

    // hypercalls.cpp: to the hypervisor, for the guest and for itself
    void reflect(std::size_t row, power::registers& state, cpu::trap_context& context);
    void refuse_hypercall(std::string_view why, abi::h_status status, power::registers& state,
                          const cpu::trap_context& context);
    hcall_answer call(abi::hcall number, std::initializer_list<std::uint64_t> arguments,
                      const power::registers& state, cpu::trap_context& context);
    bool pass_to_hypervisor(disguise& hidden, std::size_t row, const power::registers& state,
                            cpu::trap_context& context);

    // storage_faults.cpp
    cpu::fault_outcome mmio(cpu::storage_fault& fault, const power::registers& state,
                            cpu::trap_context& context);
    cpu::fault_outcome page_fault(abi::gfn page, memory::access_kind kind, const power::registers& state,
                                  cpu::trap_context& context);
    /// Asks the hypervisor for a page until it has left `missing`; \returns false when it does not come.
    bool bring_in(abi::gfn page, memory::page_state missing, std::uint64_t flags,
                  const power::registers& state, cpu::trap_context& context);

    // ultravisor.cpp
    [[nodiscard]] bool secure() const { return vm_.state() == vm_state::secure; }
    void show_state(const cpu::trap_context& context) { shows_.state.set(vm_.state(), context.now()); }
    /// Ends the guest because of what the hypervisor, or it itself, did.
    void end_guest(std::string_view why, std::uint64_t address, cpu::trap_context& context);
    void note_data_in_shared_pages(abi::gfn first, std::uint64_t pages, const power::registers& state,
                                   const cpu::trap_context& context);
    [[nodiscard]] static std::string caller_name(const power::registers& state,
                                                 const cpu::trap_context& context);

    trace::recorder& recorder_;
    memory::memory_bus& bus_;
    config parameters_;
    costs costs_;
    secure_vm vm_;
    reflection reflection_;
    random_stream guest_random_;  // H_RANDOM
    instruments shows_;
};

}  // namespace pefsim::ultravisor
