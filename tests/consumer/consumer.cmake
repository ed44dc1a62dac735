# What the three projects have in common once agdf::agdf is there.

function(consumer_program name)
    add_executable(${name} ${ARGN})
    target_compile_options(${name} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)
    # Everything that reaches the compiler and the linker as an option, wherever it comes from.
    file(GENERATE OUTPUT "${name}.options"
        CONTENT "$<JOIN:$<TARGET_PROPERTY:${name},COMPILE_OPTIONS>;$<TARGET_PROPERTY:${name},LINK_OPTIONS>, >")
endfunction()

consumer_program(program ../main.cpp ../second.cpp)
target_link_libraries(program PRIVATE agdf::agdf)

# A program that uses every part of what was compiled: it would not link without one.
consumer_program(compiled_program ../compiled.cpp ../second.cpp)
target_link_libraries(compiled_program PRIVATE agdf::compiled)

if(WITH_HTTP)
    consumer_program(http_program ../http.cpp)
    target_link_libraries(http_program PRIVATE agdf::http)
endif()

add_library(consumer INTERFACE)
target_link_libraries(consumer INTERFACE agdf::agdf $<TARGET_NAME_IF_EXISTS:agdf::http>)
install(TARGETS consumer EXPORT consumerTargets)
install(EXPORT consumerTargets NAMESPACE consumer:: DESTINATION lib/cmake/consumer)
export(EXPORT consumerTargets NAMESPACE consumer:: FILE "${CMAKE_CURRENT_BINARY_DIR}/consumerTargets.cmake")
