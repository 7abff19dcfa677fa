# SPDX-License-Identifier: Apache-2.0
#
# FindIntelRDFPMath: Intel's decimal floating-point library.
#
# Debian has eight static builds of it, named after three options. This is the one without any global state: arguments by
# value, rounding mode and exception flags as parameters. What the headers declare under names of their own (bid128_add)
# has two underscores in front in the library: bid_conf.h, which has to be included first, says so.
#
# libgcc has functions of the same names and other parameters: what uses gcc's own decimal types must not be linked with it.
#
# Targets:  IntelRDFPMath::IntelRDFPMath
# Sets:     IntelRDFPMath_FOUND

find_path(IntelRDFPMath_INCLUDE_DIR bid_functions.h)
find_library(IntelRDFPMath_LIBRARY bidgcc000)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(IntelRDFPMath
    REQUIRED_VARS IntelRDFPMath_LIBRARY IntelRDFPMath_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libintelrdfpmath-dev")
mark_as_advanced(IntelRDFPMath_INCLUDE_DIR IntelRDFPMath_LIBRARY)

if(IntelRDFPMath_FOUND AND NOT TARGET IntelRDFPMath::IntelRDFPMath)
    add_library(IntelRDFPMath::IntelRDFPMath UNKNOWN IMPORTED)
    set_target_properties(IntelRDFPMath::IntelRDFPMath PROPERTIES
        IMPORTED_LOCATION "${IntelRDFPMath_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${IntelRDFPMath_INCLUDE_DIR}"
        INTERFACE_COMPILE_DEFINITIONS
            "DECIMAL_CALL_BY_REFERENCE=0;DECIMAL_GLOBAL_ROUNDING=0;DECIMAL_GLOBAL_EXCEPTION_FLAGS=0")
endif()
