# SPDX-License-Identifier: Apache-2.0
#
# The shape of the house: one library target per folder, one test executable per folder.

include(GNUInstallDirs)

set(PEFSIM_MODELS "${PROJECT_SOURCE_DIR}/models")

# pefsim_add_library(<name> [SOURCES file...] [DEPENDS name...] [HEADERS_OF name...] [LIBS target...] [PRECOMPILED set])
#
# The library pefsim_<name>, alias pefsim::<name>, of the folder that the calling CMakeLists.txt stands in. DEPENDS names
# others of them, LIBS targets of other projects; both are public. HEADERS_OF names those of which headers are enough: who
# links this one need not build them. Without SOURCES the library is header-only. Every header below models/ and platform/ is
# installed as it is included. PRECOMPILED: see precompiled.cmake.
function(pefsim_add_library folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRECOMPILED" "SOURCES;DEPENDS;HEADERS_OF;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pefsim_add_library(${folder}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
    endif()

    set(target pefsim_${folder})
    set(scope PUBLIC)
    if(arg_SOURCES)
        add_library(${target} STATIC ${arg_SOURCES})
        set_property(GLOBAL APPEND PROPERTY PEFSIM_ARCHIVES ${target})  # read by package.cmake
    else()
        set(scope INTERFACE)
        add_library(${target} INTERFACE)
    endif()
    add_library(pefsim::${folder} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
    target_compile_features(${target} ${scope} cxx_std_20)

    # models/memory is included as "memory/...", platform as "platform/...".
    set(include_root "${PROJECT_SOURCE_DIR}")
    cmake_path(IS_PREFIX PEFSIM_MODELS "${CMAKE_CURRENT_SOURCE_DIR}" is_model)
    if(is_model)
        set(include_root "${PEFSIM_MODELS}")
    endif()
    file(RELATIVE_PATH place "${include_root}" "${CMAKE_CURRENT_SOURCE_DIR}")
    target_include_directories(${target} ${scope}
        "$<BUILD_INTERFACE:${PEFSIM_MODELS}>"
        "$<BUILD_INTERFACE:${include_root}>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/pefsim>")

    # read by tests/house
    list(JOIN arg_DEPENDS " " depends)
    list(JOIN arg_HEADERS_OF " " headers_of)
    set_property(GLOBAL APPEND PROPERTY PEFSIM_LIBRARIES "${place}: ${folder}: ${depends} ${headers_of}")
    list(TRANSFORM arg_DEPENDS PREPEND pefsim::)
    target_link_libraries(${target} ${scope} ${arg_DEPENDS} ${arg_LIBS})

    install(TARGETS ${target} EXPORT pefsim_targets COMPONENT development)
    install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/pefsim/${place}"
        COMPONENT development FILES_MATCHING PATTERN "*.h")
    if(arg_PRECOMPILED)
        pefsim_precompile(${target} ${arg_PRECOMPILED})
    endif()
endfunction()

# pefsim_add_test(<folder> SOURCES file... [LIBS target...] [TIMEOUT seconds])
#
# The GoogleTest executable test_<folder>, with main() and the SystemC fixture of tests/support; every TEST in it is
# one entry of ctest, named <folder>.<suite>.<test>. Under sanitizers all of them are one entry, named <folder>: to begin
# a process and to look for what leaked at its end takes them longer than most tests do.
function(pefsim_add_test folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pefsim_add_test(${folder}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()

    set(target test_${folder})
    add_executable(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE pefsim_test_support ${arg_LIBS})
    pefsim_precompile(${target} test)
    target_compile_options(${target} PRIVATE ${PEFSIM_TEST_OPTIONS})
    if(PEFSIM_SANITIZE)
        add_test(NAME ${folder} COMMAND ${target} --gtest_brief=1)
        math(EXPR arg_TIMEOUT "10 * ${arg_TIMEOUT}")
        set_tests_properties(${folder} PROPERTIES TIMEOUT ${arg_TIMEOUT})
        return()
    endif()
    gtest_discover_tests(${target}
        TEST_PREFIX "${folder}."
        DISCOVERY_MODE PRE_TEST
        NO_PRETTY_VALUES  # a parameter is named by its index or by the suite's name generator
        PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
