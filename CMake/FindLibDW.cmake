# SPDX-License-Identifier: Apache-2.0
#
# FindLibDW: DWARF of guest programs (elfutils).
#
# Targets:  LibDW::LibDW, with libelf
# Sets:     LibDW_FOUND

find_path(LibDW_INCLUDE_DIR elfutils/libdw.h)
find_library(LibDW_LIBRARY dw)
find_library(LibDW_ELF_LIBRARY elf)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibDW
    REQUIRED_VARS LibDW_LIBRARY LibDW_ELF_LIBRARY LibDW_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libdw-dev")
mark_as_advanced(LibDW_INCLUDE_DIR LibDW_LIBRARY LibDW_ELF_LIBRARY)

if(LibDW_FOUND AND NOT TARGET LibDW::LibDW)
    add_library(LibDW::LibDW UNKNOWN IMPORTED)
    set_target_properties(LibDW::LibDW PROPERTIES
        IMPORTED_LOCATION "${LibDW_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${LibDW_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES "${LibDW_ELF_LIBRARY}")
endif()
