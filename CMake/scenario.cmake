# SPDX-License-Identifier: Apache-2.0
#
# pefsim_add_scenario(NAME [NATIVE | POWER] file.cpp...)
#
# One scenario, one binary, about a native guest unless it says POWER. The same function serves pefsim's own scenarios/ and,
# after find_package(pefsim), any other source tree.
function(pefsim_add_scenario name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NATIVE;POWER" "" "")
    if(NOT arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pefsim_add_scenario(${name}): names no source file")
    endif()
    if(arg_NATIVE AND arg_POWER)
        message(FATAL_ERROR "pefsim_add_scenario(${name}): NATIVE and POWER")
    endif()
    add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
    if(arg_POWER)
        target_link_libraries(${name} PRIVATE pefsim::power_platform)
    else()
        target_link_libraries(${name} PRIVATE pefsim::native_platform)
    endif()
    if(COMMAND pefsim_precompile)
        pefsim_precompile(${name} report)
    endif()
endfunction()
