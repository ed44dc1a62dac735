# agdf_strict: how our own tests and examples are compiled. Never linked by what is installed.
add_library(agdf_strict INTERFACE)
target_compile_options(agdf_strict INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor)
if(AGDF_WERROR) # for us; a stranger's compiler may warn of more than ours, and still runs the tests
    target_compile_options(agdf_strict INTERFACE -Werror)
endif()

# Else all that is precompiled counts as the system's: no warnings of our own headers, and no coverage. GCC forgets which
# warnings a precompiled header has off, so there it stays; the examples and the consumers show those warnings.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(CMAKE_PCH_PROLOGUE "")
endif()

if(AGDF_SANITIZE)
    if(AGDF_SANITIZE STREQUAL "address")
        set(flags -fsanitize=address,undefined -fno-sanitize-recover=all)
        if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
            list(APPEND flags -fno-sanitize=function) # does not compile coroutine templates: llvm#49689
        endif()
        # Recycled coroutine frames hide a use after free.
        target_compile_definitions(agdf_strict INTERFACE ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
    elseif(AGDF_SANITIZE STREQUAL "thread")
        set(flags -fsanitize=thread)
        if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(agdf_strict INTERFACE -Wno-tsan) # Asio's fences
        endif()
    else()
        message(FATAL_ERROR "agdf: AGDF_SANITIZE is '${AGDF_SANITIZE}'. Expected: empty, address or thread.")
    endif()
    target_compile_options(agdf_strict INTERFACE ${flags} -fno-omit-frame-pointer)
    target_link_options(agdf_strict INTERFACE ${flags})
endif()

if(AGDF_COVERAGE)
    if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "agdf: AGDF_COVERAGE is on, but the compiler is ${CMAKE_CXX_COMPILER_ID}. Expected: Clang. Set "
                            "CMAKE_CXX_COMPILER, or use tests/trust/coverage/run.")
    endif()
    # All runs of a program add to a file of its own (%m), whoever starts it. Atomic, since threads count as well.
    set(flags "-fprofile-instr-generate=${CMAKE_BINARY_DIR}/coverage/%m.profraw" -fcoverage-mapping)
    target_compile_options(agdf_strict INTERFACE ${flags} -fprofile-update=atomic)
    target_link_options(agdf_strict INTERFACE ${flags})
endif()

# Compiling a second time what has not changed costs nothing.
find_program(AGDF_CCACHE ccache)
mark_as_advanced(AGDF_CCACHE)
if(AGDF_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${AGDF_CCACHE}")
endif()
