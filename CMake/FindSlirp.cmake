# SPDX-License-Identifier: Apache-2.0
#
# FindSlirp: TCP/IP of a guest on the sockets of its host.
#
# Targets:  Slirp::Slirp
# Sets:     Slirp_FOUND

find_path(Slirp_INCLUDE_DIR slirp/libslirp.h)
find_library(Slirp_LIBRARY slirp)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Slirp
    REQUIRED_VARS Slirp_LIBRARY Slirp_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "On Debian: apt-get install libslirp-dev")
mark_as_advanced(Slirp_INCLUDE_DIR Slirp_LIBRARY)

if(Slirp_FOUND AND NOT TARGET Slirp::Slirp)
    add_library(Slirp::Slirp UNKNOWN IMPORTED)
    set_target_properties(Slirp::Slirp PROPERTIES
        IMPORTED_LOCATION "${Slirp_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${Slirp_INCLUDE_DIR}")
endif()
