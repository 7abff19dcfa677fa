# SPDX-License-Identifier: Apache-2.0
#
# FindLibFDT: flattened device trees.
#
# Targets:  LibFDT::LibFDT
# Sets:     LibFDT_FOUND

find_path(LibFDT_INCLUDE_DIR libfdt.h)
find_library(LibFDT_LIBRARY fdt)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibFDT
    REQUIRED_VARS LibFDT_LIBRARY LibFDT_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libfdt-dev")
mark_as_advanced(LibFDT_INCLUDE_DIR LibFDT_LIBRARY)

if(LibFDT_FOUND AND NOT TARGET LibFDT::LibFDT)
    add_library(LibFDT::LibFDT UNKNOWN IMPORTED)
    set_target_properties(LibFDT::LibFDT PROPERTIES
        IMPORTED_LOCATION "${LibFDT_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${LibFDT_INCLUDE_DIR}")
endif()
