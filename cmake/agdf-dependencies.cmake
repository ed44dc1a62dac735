# Where the dependencies come from: the system if it has them, GitHub otherwise.
#
#   agdf_require(<package> <target>)   makes the target exist, or fails with a sentence.
#
# FETCHCONTENT_TRY_FIND_PACKAGE_MODE, FETCHCONTENT_SOURCE_DIR_<PACKAGE> and FetchContent's other switches work.

include(FetchContent)

# The names declared are those of the packages, since FetchContent gives them to find_package first. GLOBAL,
# because what is found once must be seen in every directory.
macro(agdf_declare package repository tag)
    FetchContent_Declare(${package}
        GIT_REPOSITORY https://github.com/${repository}.git GIT_TAG ${tag} GIT_SHALLOW ON
        FIND_PACKAGE_ARGS ${ARGN} GLOBAL)
endmacro()

agdf_declare(Asio          chriskohlhoff/asio   asio-1-36-0 1.22.1 MODULE)
agdf_declare(fmt           fmtlib/fmt           11.2.0      9)
agdf_declare(CURL          curl/curl            curl-8_11_1)
agdf_declare(Catch2        catchorg/Catch2      v3.7.1)
agdf_declare(httplib       yhirose/cpp-httplib  v0.18.1)
agdf_declare(nlohmann_json nlohmann/json        v3.11.3     3.10)
agdf_declare(CLI11         CLIUtils/CLI11       v2.4.2      2)

# A function, so that the switches meant for a fetched project go no further.
function(agdf_require package target)
    if(TARGET ${target})
        return()
    endif()

    if(NOT DEFINED BUILD_SHARED_LIBS)
        set(BUILD_SHARED_LIBS OFF) # libcurl would switch it on for everybody
    endif()
    if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
        set(CMAKE_POSITION_INDEPENDENT_CODE ON) # a plugin may link it
    endif()
    set(BUILD_TESTING OFF)
    set(BUILD_CURL_EXE OFF)
    set(BUILD_LIBCURL_DOCS OFF)
    set(BUILD_MISC_DOCS OFF)
    set(ENABLE_CURL_MANUAL OFF)
    set(CURL_USE_LIBPSL OFF)
    set(CURL_USE_LIBSSH2 OFF)
    FetchContent_MakeAvailable(${package})

    if(package STREQUAL "Asio" AND NOT TARGET asio::asio)
        # Fetched: find_package(Asio) now leads to FetchContent's empty package, so the module is read directly.
        set(Asio_INCLUDE_DIR "Asio_INCLUDE_DIR-NOTFOUND" CACHE PATH "Where asio.hpp is" FORCE)
        find_path(Asio_INCLUDE_DIR NAMES asio/version.hpp NO_DEFAULT_PATH
                  PATHS "${asio_SOURCE_DIR}" PATH_SUFFIXES asio/include include)
        include("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/FindAsio.cmake")
        if(TARGET asio::asio)
            set_target_properties(asio::asio PROPERTIES IMPORTED_GLOBAL TRUE)
        endif()
    endif()

    if(NOT TARGET ${target})
        message(FATAL_ERROR "agdf: there is no target ${target}. Expected: the package ${package}, found or fetched. "
                            "Install it, or set CMAKE_PREFIX_PATH to where it is.")
    endif()

    # The headers of a fetched project are the system's as well: its warnings are not the user's errors.
    get_target_property(imported ${target} IMPORTED)
    if(NOT imported)
        get_target_property(aliased ${target} ALIASED_TARGET)
        if(aliased)
            set(target ${aliased})
        endif()
        get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
        if(directories)
            set_property(TARGET ${target} APPEND PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${directories})
        endif()
    endif()
endfunction()
