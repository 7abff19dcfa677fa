# SPDX-License-Identifier: Apache-2.0
#
# pefsim_add_scenario(NAME file.cpp...)
#
# One scenario, one binary. The same function serves pefsim's own scenarios/ and, after find_package(pefsim), any other
# source tree.
function(pefsim_add_scenario name)
    if(NOT ARGN)
        message(FATAL_ERROR "pefsim_add_scenario(${name}): names no source file")
    endif()
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE pefsim::platform)
endfunction()
