# Configures, builds, runs and installs the foreign project in folder WAY: see CMakeLists.txt. own_targets has only a program.

file(REMOVE_RECURSE "${WORK}")

# step(<what> <command>...): quiet, unless it fails.
function(step what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message("${output}")
        message(FATAL_ERROR "consumer ${WAY}: ${what} failed (${result}).")
    endif()
endfunction()

if(WAY STREQUAL "find_package")
    step("installing agdf" "${CMAKE_COMMAND}" --install "${AGDF_BUILD}" --prefix "${WORK}/stage")
endif()

set(tools -G "${GENERATOR}" "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}"
    "-DCMAKE_PREFIX_PATH=${WORK}/stage")
step("configuring" "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/${WAY}" -B "${WORK}/build" ${tools}
    "-DAGDF_SOURCE=${AGDF_SOURCE}" "-DWITH_HTTP=${HTTP}")
step("building" "${CMAKE_COMMAND}" --build "${WORK}/build")
step("running its program" "${WORK}/build/program")
if(WAY STREQUAL "own_targets")
    return()
endif()
step("running its program with the compiled part" "${WORK}/build/compiled_program")
if(HTTP)
    step("running its program with http" "${WORK}/build/http_program")
endif()

# Only the project's own options reach the compiler.
foreach(program IN ITEMS program compiled_program http_program)
    if(EXISTS "${WORK}/build/${program}.options")
        file(READ "${WORK}/build/${program}.options" options)
        if(NOT options STREQUAL "-Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror")
            message(FATAL_ERROR "consumer ${WAY}: ${program} is compiled or linked with '${options}'. "
                                "Expected: only the options that it asked for.")
        endif()
    elseif(HTTP OR NOT program STREQUAL "http_program")
        message(FATAL_ERROR "consumer ${WAY}: ${program}.options was not written.")
    endif()
endforeach()

# The project can install and export a target of its own that links agdf, and installs nothing of ours unasked.
step("installing" "${CMAKE_COMMAND}" --install "${WORK}/build" --prefix "${WORK}/installed")
if(NOT EXISTS "${WORK}/installed/lib/cmake/consumer/consumerTargets.cmake")
    message(FATAL_ERROR "consumer ${WAY}: its own target was not exported.")
endif()
if(EXISTS "${WORK}/installed/include/agdf")
    message(FATAL_ERROR "consumer ${WAY}: its install has agdf's headers, which it did not ask for.")
endif()
if(WAY STREQUAL "find_package")
    step("configuring a project that links its library" "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/downstream"
        -B "${WORK}/downstream" ${tools} "-DCONSUMER=${WORK}/installed")
endif()
