# Finds standalone Asio, which ships no CMake package of its own. Installed with agdf, whose users need it too.
#
# Defines the target asio::asio, and Asio_FOUND, Asio_VERSION, Asio_INCLUDE_DIR.

find_path(Asio_INCLUDE_DIR NAMES asio/version.hpp PATH_SUFFIXES asio/include)
mark_as_advanced(Asio_INCLUDE_DIR)

if(Asio_INCLUDE_DIR)
    # 102201 is 1.22.1.
    file(STRINGS "${Asio_INCLUDE_DIR}/asio/version.hpp" _asio_version REGEX "^#define ASIO_VERSION [0-9]+")
    string(REGEX REPLACE "^#define ASIO_VERSION ([0-9]+).*" "\\1" _asio_version "${_asio_version}")
    math(EXPR _asio_major "${_asio_version} / 100000")
    math(EXPR _asio_minor "${_asio_version} / 100 % 1000")
    math(EXPR _asio_patch "${_asio_version} % 100")
    set(Asio_VERSION "${_asio_major}.${_asio_minor}.${_asio_patch}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio REQUIRED_VARS Asio_INCLUDE_DIR VERSION_VAR Asio_VERSION)

if(Asio_FOUND AND NOT TARGET asio::asio)
    find_package(Threads REQUIRED)
    add_library(asio::asio INTERFACE IMPORTED)
    set_target_properties(asio::asio PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${Asio_INCLUDE_DIR}"
        INTERFACE_COMPILE_DEFINITIONS "ASIO_STANDALONE"
        INTERFACE_LINK_LIBRARIES Threads::Threads)
    if(Asio_VERSION VERSION_LESS 1.28)
        # Before 1.28 Asio asks Clang for the coroutines of the technical specification only, and without them
        # there is no asio::awaitable.
        set_property(TARGET asio::asio APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS
            "$<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_CO_AWAIT=1>"
            "$<$<CXX_COMPILER_ID:Clang,AppleClang>:ASIO_HAS_STD_COROUTINE=1>")
    endif()
endif()
