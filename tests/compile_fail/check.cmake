# cmake -DCOMPILER= -DFLAGS= -DHEADERS= -DCASE= -DOUTPUT= -P check.cmake: see CMakeLists.txt.

file(READ "${CASE}" text)
if(NOT text MATCHES "^// expect: ([^\n]+)")
    message(FATAL_ERROR "${CASE}: the first line says nothing. Expected: '// expect: <text of the error>'.")
endif()
set(expected "${CMAKE_MATCH_1}")

set(stop_at_first -Wfatal-errors)
if(text MATCHES "\n// and no other error\n")
    set(stop_at_first "")
endif()

# In one language, and without wrapping, whoever runs it.
set(ENV{LC_ALL} C)
execute_process(COMMAND "${COMPILER}" -std=c++20 -fdiagnostics-color=never ${stop_at_first} "${FLAGS}" -include "${HEADERS}" -c "${CASE}" -o "${OUTPUT}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
    message(FATAL_ERROR "${CASE} compiled. Expected: an error with '${expected}'.")
endif()

if(NOT output MATCHES "[^\n]*error: [^\n]*")
    message("${output}")
    message(FATAL_ERROR "${CASE}: the compiler failed without an error of its own.")
endif()
set(first_error "${CMAKE_MATCH_0}")
string(FIND "${first_error}" "${expected}" position)
if(position EQUAL -1)
    message("${output}")
    message("The first error is:  ${first_error}\nExpected in it:      ${expected}")
    message(FATAL_ERROR "${CASE} fails to compile with another error than it should.")
endif()

string(REGEX MATCHALL "error: " errors "${output}")
list(LENGTH errors count)
if(NOT stop_at_first AND NOT count EQUAL 1)
    message("${output}")
    message(FATAL_ERROR "${CASE} has ${count} errors. Expected: only the one that it names.")
endif()
