# The first program prints its two words, in any order since two workers make them.
execute_process(COMMAND "${QUICKSTART}" RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err TIMEOUT 30)
if(NOT code STREQUAL 0 OR NOT err STREQUAL "" OR NOT out MATCHES "^(Hello\nWorld|World\nHello)\n$")
    message(FATAL_ERROR "exit code ${code}, expected 0; expected 'Hello' and 'World':\n${out}\n${err}")
endif()
