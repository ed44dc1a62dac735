# cmake -DEXECUTABLE= -DLIST= -DARGUMENTS= -DPROPERTIES= -DOUTPUT= -P discover.cmake
#
# Writes a ctest file with one test for each TEST_CASE of a Catch2 executable. It stands in for Catch2's own
# catch_discover_tests, which in version 2 breaks names at semicolons and joins them at unbalanced brackets.

execute_process(COMMAND "${EXECUTABLE}" ${LIST} OUTPUT_VARIABLE names ERROR_VARIABLE errors)
if(names STREQUAL "" OR NOT errors STREQUAL "")
    message(FATAL_ERROR "${EXECUTABLE} does not list its tests:\n${names}${errors}")
endif()

set(script "")
while(NOT names STREQUAL "")
    string(FIND "${names}" "\n" end)
    string(SUBSTRING "${names}" 0 ${end} name)
    math(EXPR end "${end} + 1")
    string(SUBSTRING "${names}" ${end} -1 names)
    # These four mean something in Catch2's selection of tests.
    string(REGEX REPLACE "([][,\\])" "\\\\\\1" selection "${name}")
    string(APPEND script "add_test([==[${name}]==] [==[${EXECUTABLE}]==] [==[${selection}]==] ${ARGUMENTS})\n"
                         "set_tests_properties([==[${name}]==] PROPERTIES ${PROPERTIES})\n")
endwhile()
file(WRITE "${OUTPUT}" "${script}")
