# PIPELINE, a program that sends itself SIGINT when its source has yielded so many items, drains each time and balances.
file(MAKE_DIRECTORY "${WORK}")
set(threads 1)
foreach(items IN ITEMS 1 2 6 7 8 13 14 15 48 49 50 51 99 100 101 150 230 311 400 555)
    execute_process(COMMAND "${PIPELINE}" "${WORK}/out.txt" ${items} ${threads} ${items}
        RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err TIMEOUT 30)
    if(NOT code STREQUAL 130 OR NOT out MATCHES "\nstopped after " OR NOT err MATCHES "SIGINT: the run drains")
        message(FATAL_ERROR "after ${items} items on ${threads} threads: exit code ${code}, expected 130 and a drain:\n${out}\n${err}")
    endif()
    math(EXPR threads "3 - ${threads}")
endforeach()
