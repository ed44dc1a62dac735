# Finds cpp-httplib as its own CMake package, or as distributions have it: a header, with or without a compiled
# part, and a pkg-config file. Only tests and examples need it.
#
# Defines the target httplib::httplib, and httplib_FOUND.

find_package(httplib CONFIG QUIET)

if(NOT TARGET httplib::httplib)
    find_path(httplib_INCLUDE_DIR NAMES httplib.h)
    find_library(httplib_LIBRARY NAMES cpp-httplib)
    mark_as_advanced(httplib_INCLUDE_DIR httplib_LIBRARY)
endif()

include(FindPackageHandleStandardArgs)
if(TARGET httplib::httplib)
    set(httplib_FOUND TRUE)
else()
    find_package_handle_standard_args(httplib REQUIRED_VARS httplib_INCLUDE_DIR)
endif()

if(httplib_FOUND AND NOT TARGET httplib::httplib)
    find_package(Threads REQUIRED)
    add_library(httplib::httplib INTERFACE IMPORTED)
    target_include_directories(httplib::httplib INTERFACE "${httplib_INCLUDE_DIR}")
    target_link_libraries(httplib::httplib INTERFACE Threads::Threads)
    if(httplib_LIBRARY)
        # The classes' layout depends on the macros that the library was compiled with: take exactly those.
        target_link_libraries(httplib::httplib INTERFACE "${httplib_LIBRARY}")
        get_filename_component(_httplib_dir "${httplib_LIBRARY}" DIRECTORY)
        if(EXISTS "${_httplib_dir}/pkgconfig/cpp-httplib.pc")
            file(STRINGS "${_httplib_dir}/pkgconfig/cpp-httplib.pc" _httplib_flags REGEX "^Cflags:")
            string(REGEX MATCHALL "CPPHTTPLIB_[A-Z0-9_]+" _httplib_macros "${_httplib_flags}")
            target_compile_definitions(httplib::httplib INTERFACE ${_httplib_macros})
            if("CPPHTTPLIB_OPENSSL_SUPPORT" IN_LIST _httplib_macros)
                find_package(OpenSSL REQUIRED)
                target_link_libraries(httplib::httplib INTERFACE OpenSSL::SSL OpenSSL::Crypto)
            endif()
        endif()
    endif()
endif()
