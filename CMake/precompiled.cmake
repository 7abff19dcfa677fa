# SPDX-License-Identifier: Apache-2.0
#
# pefsim_precompile(<target> systemc|report|test)
#
# The target's C++ sources begin with CMake/precompiled/<set>.h, read once for all of them: others' headers, which hardly
# ever change. Sources include what they use all the same; lint reads them without.

option(PEFSIM_PRECOMPILE "Precompile the headers of SystemC, JSON and GoogleTest" ON)

function(pefsim_precompile target set)
    if(NOT PEFSIM_PRECOMPILE)
        return()
    endif()
    set(libraries_of_systemc SystemC::SystemC fmt::fmt)
    set(libraries_of_report ${libraries_of_systemc} nlohmann_json::nlohmann_json)
    set(libraries_of_test ${libraries_of_systemc} GTest::gmock GTest::gtest)
    set(owner pefsim_precompiled_${set})
    if(NOT TARGET ${owner})
        add_library(${owner} OBJECT "${PROJECT_SOURCE_DIR}/CMake/precompiled/nothing.cpp")
        target_compile_features(${owner} PRIVATE cxx_std_20)
        if(set STREQUAL "test")
            target_compile_options(${owner} PRIVATE ${PEFSIM_TEST_OPTIONS})
        endif()
        target_link_libraries(${owner} PRIVATE ${libraries_of_${set}})
        target_precompile_headers(${owner} PRIVATE
            "$<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/CMake/precompiled/${set}.h>")
    endif()
    target_precompile_headers(${target} REUSE_FROM ${owner})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")
        # Read with the options that it was made with: as for libraries, not -fPIE.
        set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        target_compile_options(${target} PRIVATE -fPIC)
    endif()
endfunction()
