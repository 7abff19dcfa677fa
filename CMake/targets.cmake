# SPDX-License-Identifier: Apache-2.0
#
# The shape of the house: one library target per folder, one test executable per folder.

include(GNUInstallDirs)

# pefsim_add_library(<folder> [SOURCES file...] [DEPENDS folder...] [LIBS target...])
#
# The library pefsim_<folder>, alias pefsim::<folder>, of the folder that the calling CMakeLists.txt stands in.
# DEPENDS names other folders, LIBS targets of other projects; both are public. Without SOURCES the library is
# header-only. Every header below the folder is installed as include/pefsim/<folder>/...
function(pefsim_add_library folder)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "pefsim_add_library(${folder}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
    endif()

    set(target pefsim_${folder})
    set(scope PUBLIC)
    if(arg_SOURCES)
        add_library(${target} STATIC ${arg_SOURCES})
    else()
        set(scope INTERFACE)
        add_library(${target} INTERFACE)
    endif()
    add_library(pefsim::${folder} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder})
    target_compile_features(${target} ${scope} cxx_std_20)

    # models/memory is included as "memory/...", platform as "platform/...": from the folder's parent.
    cmake_path(GET CMAKE_CURRENT_SOURCE_DIR PARENT_PATH include_root)
    target_include_directories(${target} ${scope}
        "$<BUILD_INTERFACE:${include_root}>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/pefsim>")

    set_property(GLOBAL PROPERTY PEFSIM_DEPENDS_${folder} ${arg_DEPENDS}) # read by tests/house
    list(TRANSFORM arg_DEPENDS PREPEND pefsim::)
    target_link_libraries(${target} ${scope} ${arg_DEPENDS} ${arg_LIBS})

    install(TARGETS ${target} EXPORT pefsim_targets)
    install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/pefsim/${folder}"
        FILES_MATCHING PATTERN "*.h")
endfunction()

# pefsim_add_test(<folder> SOURCES file... [LIBS target...] [TIMEOUT seconds])
#
# The GoogleTest executable test_<folder>, with main() and the SystemC fixture of tests/support; every TEST in it is
# one entry of ctest, named <folder>.<suite>.<test>.
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
    gtest_discover_tests(${target}
        TEST_PREFIX "${folder}."
        DISCOVERY_MODE PRE_TEST
        NO_PRETTY_VALUES  # a parameter is named by its index or by the suite's name generator
        PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
