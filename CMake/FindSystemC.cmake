# SPDX-License-Identifier: Apache-2.0
#
# FindSystemC: SystemC and TLM-2.0, found through pkg-config.
#
# Debian's library is built as C++17 and refuses, at link time, objects that announce another standard. The target
# therefore announces C++17 for every translation unit that includes SystemC; the headers are the same for C++20.
#
# Targets:  SystemC::SystemC
# Sets:     SystemC_FOUND, SystemC_VERSION

find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
    pkg_check_modules(PC_SystemC QUIET systemc)
endif()

find_path(SystemC_INCLUDE_DIR systemc HINTS ${PC_SystemC_INCLUDE_DIRS})
find_library(SystemC_LIBRARY systemc HINTS ${PC_SystemC_LIBRARY_DIRS})
set(SystemC_VERSION "${PC_SystemC_VERSION}")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SystemC
    REQUIRED_VARS SystemC_LIBRARY SystemC_INCLUDE_DIR
    VERSION_VAR SystemC_VERSION
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libsystemc-dev pkg-config")
mark_as_advanced(SystemC_INCLUDE_DIR SystemC_LIBRARY)

if(SystemC_FOUND AND NOT TARGET SystemC::SystemC)
    find_package(Threads REQUIRED)
    add_library(SystemC::SystemC UNKNOWN IMPORTED)
    set_target_properties(SystemC::SystemC PROPERTIES
        IMPORTED_LOCATION "${SystemC_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${SystemC_INCLUDE_DIR}"
        # tlm_utils' convenience sockets spawn processes.
        INTERFACE_COMPILE_DEFINITIONS "SC_CPLUSPLUS=201703L;SC_INCLUDE_DYNAMIC_PROCESSES"
        INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
