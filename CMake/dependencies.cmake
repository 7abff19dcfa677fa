# SPDX-License-Identifier: Apache-2.0
#
# The one list of everything that pefsim builds on. The package lists are read by CMake/install-packages too, one
# package per line, comments after '#'; the find_package calls below them run here and in the installed package.

set(PEFSIM_DEBIAN_PACKAGES
    g++                             # C++20 compiler
    cmake                           # at least 3.25
    ninja-build
    ccache                          # compiler cache, used when present
    mold                            # linker, used when present
    pkg-config                      # how CMake/FindSystemC.cmake finds SystemC
    libsystemc-dev                  # SystemC 2.3.4 and TLM-2.0
    libboost-dev                    # Boost.Endian, Boost.ICL
    libboost-program-options-dev    # command lines
    libtomlplusplus-dev             # configuration files
    nlohmann-json3-dev              # reports
    libfmt-dev                      # formatting
    libssl-dev                      # AES-GCM of pages that leave secure memory, ESM blobs
    libintelrdfpmath-dev            # decimal floating point
    libasmjit-dev                   # optional: translates the POWER9's code to the host's
    libfdt-dev                      # flattened device trees
    libdw-dev                       # lines of source in a guest's DWARF
    libslirp-dev                    # the guest on the host's network
    libprotozero-dev                # timelines in Perfetto's format
    zlib1g-dev                      # FST traces
    verilator                       # optional: brings the FST writer as source; without it traces are VCD only
    gnuplot-nox                     # optional: PNG plots
    gcc-powerpc64le-linux-gnu       # optional: example programs of bare_metal, kernels for scenario linux
    python3                         # optional: makes the guest images of scenario linux, runs studies
    debian-archive-keyring          # optional: whom those images' packages must be signed by
    e2fsprogs                       # optional: those images' file systems, and their check
    make                            # optional: kernels for scenario linux
    flex                            # optional: the same
    bison                           # optional: the same
    bc                              # optional: the same
    xz-utils                        # optional: the same
)

set(PEFSIM_DEBIAN_TEST_PACKAGES
    libgtest-dev
    libgmock-dev
    librapidcheck-dev               # property tests
    libbenchmark-dev                # tests/benchmarks
    gtkwave                         # independent reader of traces: vcd2fst, fst2vcd, the viewer itself
    xvfb                            # a screen for gtkwave
    xauth
    xdotool
    imagemagick                     # screenshots
    tshark                          # independent reader of pcap files
    protobuf-compiler               # independent reader of timelines
    cpio                            # independent reader of an initramfs
    valgrind                        # tests/benchmarks/publish: instruction counts
    gcovr                           # tests/coverage
    liblzma-dev                     # packed conformance tests
    libmpfr-dev                     # independent arithmetic: floating point of the POWER9
    binutils-powerpc64le-linux-gnu  # independent disassembler of the POWER9
    device-tree-compiler            # judges the device trees that firmware makes
    openssl                         # judges ESM blobs
    lcov                            # independent reader of line coverage
    nodejs                          # optional: runs speedscope's own importer, and Perfetto's trace_processor
    gdb-multiarch                   # drives the debugger's server
    libc6-dev-ppc64el-cross         # C library of programs for the POWER9
    qemu-user                       # another POWER9 that executes them
    qemu-system-ppc                 # a whole machine with one: guest images, tests/benchmarks/publish
    slurm-wlm                       # a Slurm of one node: engines of studies
    munge                           # the same
    parallel                        # the same
    chromium                        # optional: the page of a run in a real browser
    psmisc                          # fuser: who has a claim of a study
    python3-jsonschema              # judges JSON reports
    python3-pandas                  # independent reader of results of studies
    man-db                          # judges of the manual's pages
    mandoc                          # the same
)

set(PEFSIM_DEBIAN_LINT_PACKAGES
    clang-format
    clang-tidy-16                   # version 14 cannot read the views of this standard library
    shellcheck
    doxygen                         # docstrings of the public headers; their pages, target docs
    lintian                         # Debian packages
    graphviz                        # docs/house.svg
)

find_package(SystemC 2.3.3 REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(IntelRDFPMath REQUIRED)
find_package(asmjit QUIET CONFIG)
find_package(LibFDT REQUIRED)
find_package(LibDW REQUIRED)
find_package(Slirp REQUIRED)
find_package(ZLIB REQUIRED)
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_writer.hpp REQUIRED)
