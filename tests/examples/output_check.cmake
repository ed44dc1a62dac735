# cmake -DPROGRAM= -DEXPECTED= -P output_check.cmake: runs an example and compares what it prints and returns.
#
# The first line of the file EXPECTED says what is compared, the rest is the output, verbatim except for times ("0.5 s"):
#   exit code 0                                           standard output, line by line
#   exit code 0, lines in any order                       the same lines; where the contract leaves the order open
#   exit code 1, lines in any order, with standard error  standard error comes after standard output

cmake_minimum_required(VERSION 3.24)

if(NOT EXISTS "${EXPECTED}")
    message(FATAL_ERROR "There is no ${EXPECTED}. Expected: the output of the example, after a line such as 'exit code 0'.")
endif()
file(READ "${EXPECTED}" expected)
if(NOT expected MATCHES "^exit code ([0-9]+)(, lines in any order)?(, with standard error)?\n")
    message(FATAL_ERROR "${EXPECTED}: the first line does not say what is expected. Expected: 'exit code 0', then perhaps "
                        "', lines in any order', then perhaps ', with standard error'.")
endif()
set(expected_code "${CMAKE_MATCH_1}")
set(any_order "${CMAKE_MATCH_2}")
set(with_errors "${CMAKE_MATCH_3}")
string(LENGTH "${CMAKE_MATCH_0}" length)
string(SUBSTRING "${expected}" ${length} -1 expected)

execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE errors TIMEOUT 30)
set(actual "${output}")
if(with_errors)
    string(APPEND actual "${errors}")
endif()

# Brackets and semicolons mean something in CMake's lists.
function(comparable variable)
    string(REGEX REPLACE "[0-9]+\\.[0-9]+ s\n" "<time> s\n" text "${${variable}}")
    if(any_order)
        string(REPLACE ";" "<semicolon>" text "${text}")
        string(REPLACE "[" "<left>" text "${text}")
        string(REPLACE "]" "<right>" text "${text}")
        string(REPLACE "\n" ";" text "${text}")
        list(SORT text)
    endif()
    set(${variable}_to_compare "${text}" PARENT_SCOPE)
endfunction()
comparable(expected)
comparable(actual)
if(NOT code STREQUAL expected_code OR NOT actual_to_compare STREQUAL expected_to_compare)
    message("--- printed:\n${output}\n--- on standard error:\n${errors}\n--- expected:\n${expected}") # not wrapped
    message(FATAL_ERROR "${PROGRAM}: exit code ${code}. Expected: exit code ${expected_code}${any_order}${with_errors}, with the "
                        "output of ${EXPECTED}.")
endif()
