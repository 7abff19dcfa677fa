# SPDX-License-Identifier: Apache-2.0
#
# The exported package: what find_package(pefsim) and pkg-config read.

include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/pefsim")

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/CMake/pefsimConfig.cmake.in" "${PROJECT_BINARY_DIR}/pefsimConfig.cmake"
    INSTALL_DESTINATION "${package_directory}")
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/pefsimConfigVersion.cmake" COMPATIBILITY SameMinorVersion)

install(EXPORT pefsim_targets NAMESPACE pefsim:: DESTINATION "${package_directory}" COMPONENT development)
install(
    FILES
        "${PROJECT_BINARY_DIR}/pefsimConfig.cmake"
        "${PROJECT_BINARY_DIR}/pefsimConfigVersion.cmake"
        CMake/FindIntelRDFPMath.cmake
        CMake/FindLibDW.cmake
        CMake/FindLibFDT.cmake
        CMake/FindSlirp.cmake
        CMake/FindSystemC.cmake
        CMake/dependencies.cmake
        CMake/scenario.cmake
    DESTINATION "${package_directory}" COMPONENT development)

# For builds without CMake. The archives refer to one another, so that they are one group.
get_property(libraries GLOBAL PROPERTY PEFSIM_ARCHIVES)
list(TRANSFORM libraries PREPEND -l)
list(JOIN libraries " " PEFSIM_PC_LIBRARIES)
set(PEFSIM_PC_OTHERS -lboost_program_options -lslirp -lfdt -ldw -lelf -lbidgcc000)
if(asmjit_FOUND)
    list(APPEND PEFSIM_PC_OTHERS -lasmjit)
endif()
list(JOIN PEFSIM_PC_OTHERS " " PEFSIM_PC_OTHERS)
file(RELATIVE_PATH PEFSIM_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${PROJECT_SOURCE_DIR}/CMake/pefsim.pc.in" "${PROJECT_BINARY_DIR}/pefsim.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/pefsim.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT development)

# cmake --install --strip strips programs, but no archives: with all symbols gone they could not be linked. Those for
# debuggers are nine tenths of them.
install(CODE "
    if(CMAKE_INSTALL_DO_STRIP)
        file(GLOB archives \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libpefsim_*.a\")
        execute_process(
            COMMAND \"${CMAKE_STRIP}\" --strip-debug --remove-section=.comment --remove-section=.note
                    --enable-deterministic-archives \${archives}
            COMMAND_ERROR_IS_FATAL ANY)
    endif()" COMPONENT development)
