# SPDX-License-Identifier: Apache-2.0
#
# cmake -DBUILD_TREE=... -DCONSUMER_TREE=... -DWORK=... -DCXX_COMPILER=... -P this
#
# Installs the build tree to WORK/prefix, moves it (a package must not remember where it was installed), builds
# a copy of the consumer's tree against it and runs the scenario that comes out.

function(run)
    list(JOIN ARGV " " shown)
    message(STATUS "${shown}")
    execute_process(COMMAND ${ARGV} WORKING_DIRECTORY "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
file(COPY "${CONSUMER_TREE}/" DESTINATION "${WORK}/tree")

execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD_TREE}" --prefix "${WORK}/installed"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${WORK}/installed" "${WORK}/prefix")

run("${CMAKE_COMMAND}" -G Ninja -S tree -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo
    "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}")
run("${CMAKE_COMMAND}" --build build)
run("${WORK}/build/my_scenario" --no-trace)
