# SPDX-License-Identifier: Apache-2.0
#
# How pefsim's own targets are compiled. Nothing here reaches a user of the installed package.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
# Functions and lines, for backtraces and profiles; variables cost a sixth of a build, and the preset debug has them.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

add_compile_options(
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion;-Werror>"
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/="
    # ccache finds a precompiled header in what it hashes.
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>"
    # Nobody replaces a function of ours when it is loaded: it may be inlined, -fPIC or not.
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-semantic-interposition>")

set(PEFSIM_SANITIZE "" CACHE STRING "Sanitizers to build with: empty or asan-ubsan")
set_property(CACHE PEFSIM_SANITIZE PROPERTY STRINGS "" asan-ubsan)
if(PEFSIM_SANITIZE STREQUAL "asan-ubsan")
    # Casts of a floating-point number that does not fit are no part of `undefined`. (Neither is a division by 0, but IEEE 754
    # defines that one, and the core's arithmetic is to do it.)
    set(sanitizer_options -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # SystemC's threads have stacks that the sanitizer does not know: after an exception on one of them it takes live frames
    # for poisoned ones. So heap and globals are guarded, and of the stack what -fsanitize=bounds sees.
    set(sanitizer_no_stack "$<IF:$<CXX_COMPILER_ID:GNU>,--param=asan-stack=0,SHELL:-mllvm -asan-stack=0>")
    add_compile_options(${sanitizer_options} "${sanitizer_no_stack}")
    add_link_options(${sanitizer_options})
elseif(PEFSIM_SANITIZE)
    message(FATAL_ERROR "PEFSIM_SANITIZE is '${PEFSIM_SANITIZE}'; allowed are the empty string and asan-ubsan")
endif()

# Checks before each access double the time that what is far from memory takes to compile: reports, machines and their
# options, scenarios, tests. There a null pointer ends the program as well, and the warning is wrong about what is checked.
# Nor is much of a run spent there.
set(PEFSIM_OUTER_OPTIONS "")
if(PEFSIM_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(PEFSIM_OUTER_OPTIONS -O1 -fno-sanitize=null,alignment,vptr,object-size -Wno-maybe-uninitialized)
endif()
# Tests call what is optimised; optimising themselves would take half of the whole build. (Not at all only where the
# engine returns to its loop after each instruction anyway: see power/engine/op.h.)
set(PEFSIM_TEST_OPTIONS ${PEFSIM_OUTER_OPTIONS}
    "$<$<CONFIG:RelWithDebInfo>:$<IF:$<BOOL:${PEFSIM_SANITIZE}>,-O0,-O1>;-g1>")

find_program(PEFSIM_MOLD mold)
mark_as_advanced(PEFSIM_MOLD)
if(PEFSIM_MOLD)
    add_link_options(-fuse-ld=mold)
endif()

# Cache hits in every clone of the tree: paths below the root are hashed relative to it.
find_program(PEFSIM_CCACHE ccache)
mark_as_advanced(PEFSIM_CCACHE)
if(PEFSIM_CCACHE)
    foreach(language IN ITEMS C CXX)
        if(NOT CMAKE_${language}_COMPILER_LAUNCHER)
            set(CMAKE_${language}_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
                "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
            CCACHE_SLOPPINESS=pch_defines,time_macros  # what precompiled headers need
            "${PEFSIM_CCACHE}")
        endif()
    endforeach()
endif()
