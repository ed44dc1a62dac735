# cmake -DNM= -DOBJECT= -P unused.cmake: fails if an object file of a source that only includes the library has code of it.

execute_process(COMMAND "${NM}" -C --defined-only "${OBJECT}" RESULT_VARIABLE result OUTPUT_VARIABLE symbols)
if(NOT result EQUAL 0 OR NOT symbols MATCHES "second\\(\\)")
    message(FATAL_ERROR "${NM} found nothing in ${OBJECT}. Expected: second(), which is defined there.")
endif()
string(REGEX MATCHALL "vtable for agdf::[^\n]*" compiled "${symbols}")
if(compiled)
    list(JOIN compiled "\n  " compiled)
    message(FATAL_ERROR "Compiled wherever the headers are included, with all that it leads to:\n  ${compiled}\n"
                        "Expected: no vtable. Put AGDF_DECL before the virtual functions that are declared in that class "
                        "and defined outside of it.")
endif()
