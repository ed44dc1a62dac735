# A project's own way to find Asio: it makes a target of another name than ours.
find_path(OWN_ASIO_INCLUDE_DIR asio.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio REQUIRED_VARS OWN_ASIO_INCLUDE_DIR)
if(NOT TARGET Own::Asio)
    add_library(Own::Asio INTERFACE IMPORTED)
endif()
