# What the three projects have in common once agdf::agdf is there.

set(consumer_warnings -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Werror)

function(consumer_program name)
    add_executable(${name} ${ARGN})
    target_compile_options(${name} PRIVATE ${consumer_warnings})
    # Everything that reaches the compiler and the linker as an option, wherever it comes from.
    file(GENERATE OUTPUT "${name}.options"
        CONTENT "$<JOIN:$<TARGET_PROPERTY:${name},COMPILE_OPTIONS>;$<TARGET_PROPERTY:${name},LINK_OPTIONS>, >")
endfunction()

consumer_program(program ../main.cpp ../second.cpp)
target_link_libraries(program PRIVATE agdf::agdf)

# A program that uses every part of what was compiled: it would not link without one.
add_library(counting STATIC ../second.cpp)
set_target_properties(counting PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_options(counting PRIVATE ${consumer_warnings})
target_link_libraries(counting PRIVATE agdf::compiled)
consumer_program(compiled_program ../compiled.cpp)
target_link_libraries(compiled_program PRIVATE counting agdf::compiled)

# And a plugin, which is a shared library.
add_library(plugin MODULE $<TARGET_OBJECTS:counting>)
set_target_properties(plugin PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(plugin PRIVATE agdf::compiled)

if(WITH_HTTP)
    consumer_program(http_program ../http.cpp)
    target_link_libraries(http_program PRIVATE agdf::http)
endif()

add_library(consumer INTERFACE)
target_link_libraries(consumer INTERFACE agdf::agdf $<TARGET_NAME_IF_EXISTS:agdf::http>)
install(TARGETS consumer counting EXPORT consumerTargets)
install(EXPORT consumerTargets NAMESPACE consumer:: DESTINATION lib/cmake/consumer)
export(EXPORT consumerTargets NAMESPACE consumer:: FILE "${CMAKE_CURRENT_BINARY_DIR}/consumerTargets.cmake")
