# SPDX-License-Identifier: Apache-2.0
#
# Debian packages, by cpack, of a tree whose prefix is /usr:
#
#     cmake --preset package && cmake --build --preset package && (cd build/package && cpack)
#
# pefsim (programs), libpefsim-dev (libraries and headers), pefsim-doc.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    return()
endif()
find_program(GZIP gzip REQUIRED)

# What Debian's policy (12.5, 12.7) wants in each package.
configure_file(debian/changelog.in "${CMAKE_CURRENT_BINARY_DIR}/debian/changelog" @ONLY)
set(changelog "${CMAKE_CURRENT_BINARY_DIR}/debian/changelog.gz")
add_custom_command(OUTPUT "${changelog}"
    COMMAND "${GZIP}" -9n --stdout "${CMAKE_CURRENT_BINARY_DIR}/debian/changelog" > "${changelog}"
    DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/debian/changelog" VERBATIM)
add_custom_target(debian_changelog ALL DEPENDS "${changelog}")
set(packages programs:pefsim development:libpefsim-dev documents:pefsim-doc)
foreach(each IN LISTS packages)
    string(REPLACE ":" ";" each "${each}")
    list(GET each 0 component)
    list(GET each 1 package)
    install(FILES debian/copyright DESTINATION "share/doc/${package}" COMPONENT ${component})
    install(FILES "${changelog}" DESTINATION "share/doc/${package}" RENAME changelog.Debian.gz COMPONENT ${component})
    if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/debian/${package}.lintian-overrides")
        install(FILES debian/${package}.lintian-overrides DESTINATION share/lintian/overrides
            RENAME ${package} COMPONENT ${component})
    endif()
endforeach()
# Policy 12.1: pages of the manual are compressed.
install(CODE "
    file(GLOB pages \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1/*.1\")
    if(pages)
        execute_process(COMMAND \"${GZIP}\" -9nf \${pages} COMMAND_ERROR_IS_FATAL ANY)
    endif()" COMPONENT programs)

# The libraries' own headers and archives are of the packages of CMake/dependencies.cmake.
set(libraries "${PEFSIM_DEBIAN_PACKAGES}")
list(FILTER libraries INCLUDE REGEX "-dev$")
list(JOIN libraries ", " libraries)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pefsim)
set(CPACK_PACKAGE_VENDOR pefsim)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own; this one would stand before it
set(CPACK_PACKAGE_CONTACT "pefsim maintainers <maintainers@pefsim.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL programs development documents)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME pefsim)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_DEPENDS "python3, mawk | gawk")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_RECOMMENDS "gnuplot-nox, gtkwave, debian-archive-keyring, e2fsprogs")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "libpefsim-dev, pefsim-doc, gcc-powerpc64le-linux-gnu, slurm-client")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION "full-system simulator of a protected POWER guest
A guest starts as an ordinary virtual machine, asks the Ultravisor (Protected
Execution Facility) to make it secure, and from then on the host reads almost
none of its memory. Its virtio devices live on that host. pefsim shows, access
by access, how I/O still gets through, what the host got to see, and what each
choice costs in time.

This package has the scenarios (pefsim NAME) and tools.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libpefsim-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${libraries}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "cmake, pkg-config, pefsim-doc")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "simulator of a protected POWER guest: libraries and headers
What a scenario of one's own is built with, by CMake (find_package) or
pkg-config.")

set(CPACK_DEBIAN_DOCUMENTS_PACKAGE_NAME pefsim-doc)
set(CPACK_DEBIAN_DOCUMENTS_PACKAGE_SECTION doc)
set(CPACK_DEBIAN_DOCUMENTS_PACKAGE_ARCHITECTURE all)
set(CPACK_COMPONENT_DOCUMENTS_DESCRIPTION "simulator of a protected POWER guest: documents
Architecture, scenarios, signals, costs, and what the scenarios have shown.")
include(CPack)
