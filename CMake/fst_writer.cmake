# SPDX-License-Identifier: Apache-2.0
#
# The FST writer, optional. Debian ships it only as source, inside the package verilator; here it becomes the static
# library pefsim_fstapi (pefsim::fstapi), which is installed with the others. Who links it sees PEFSIM_HAVE_FST and may
# #include <fstapi.h>. When it is absent the target does not exist: traces are VCD, and a run that asks for FST says so.

find_path(PEFSIM_FSTAPI_DIR fstapi.c
    PATHS /usr/share/verilator/include/gtkwave
    DOC "Directory with fstapi.c, fastlz.c and lz4.c")
mark_as_advanced(PEFSIM_FSTAPI_DIR)

if(NOT PEFSIM_FSTAPI_DIR)
    message(STATUS "FST writer: not found, traces are VCD only (Debian: apt-get install verilator)")
    return()
endif()
message(STATUS "FST writer: ${PEFSIM_FSTAPI_DIR}")

add_library(pefsim_fstapi STATIC
    "${PEFSIM_FSTAPI_DIR}/fstapi.c" "${PEFSIM_FSTAPI_DIR}/fastlz.c" "${PEFSIM_FSTAPI_DIR}/lz4.c")
add_library(pefsim::fstapi ALIAS pefsim_fstapi)
set_target_properties(pefsim_fstapi PROPERTIES EXPORT_NAME fstapi)
# No aliases of signals with equal changes: the reader takes those of one block for those of the next, where it has none.
target_compile_definitions(pefsim_fstapi
    PRIVATE "FST_CONFIG_INCLUDE=\"fst_config.h\"" FST_DYNAMIC_ALIAS_DISABLE
    INTERFACE PEFSIM_HAVE_FST)
target_compile_options(pefsim_fstapi PRIVATE -w -O3 -fno-sanitize=all)
target_include_directories(pefsim_fstapi SYSTEM
    PRIVATE "${PEFSIM_FSTAPI_DIR}"
    INTERFACE "$<BUILD_INTERFACE:${PEFSIM_FSTAPI_DIR}>")
target_link_libraries(pefsim_fstapi PUBLIC ZLIB::ZLIB)
install(TARGETS pefsim_fstapi EXPORT pefsim_targets COMPONENT development)
set_property(GLOBAL APPEND PROPERTY PEFSIM_ARCHIVES pefsim_fstapi)  # read by package.cmake
