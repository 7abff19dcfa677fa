# SPDX-License-Identifier: Apache-2.0
#
# The exported package: what find_package(pefsim) reads.

include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/pefsim")

configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/CMake/pefsimConfig.cmake.in" "${PROJECT_BINARY_DIR}/pefsimConfig.cmake"
    INSTALL_DESTINATION "${package_directory}")
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/pefsimConfigVersion.cmake" COMPATIBILITY SameMinorVersion)

install(EXPORT pefsim_targets NAMESPACE pefsim:: DESTINATION "${package_directory}")
install(
    FILES
        "${PROJECT_BINARY_DIR}/pefsimConfig.cmake"
        "${PROJECT_BINARY_DIR}/pefsimConfigVersion.cmake"
        CMake/FindIntelRDFPMath.cmake
        CMake/FindLibFDT.cmake
        CMake/FindSlirp.cmake
        CMake/FindSystemC.cmake
        CMake/dependencies.cmake
        CMake/scenario.cmake
    DESTINATION "${package_directory}")
