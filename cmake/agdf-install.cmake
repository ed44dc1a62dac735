# The rules always exist, since a project that exports a target of its own that links agdf::agdf needs them to;
# with AGDF_INSTALL off they are not part of its "install".
set(agdf_optional "")
if(NOT AGDF_INSTALL)
    set(agdf_optional EXCLUDE_FROM_ALL)
endif()

include(CMakePackageConfigHelpers)
set(agdf_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/agdf") # not lib/: nothing in it depends on the machine

configure_package_config_file(cmake/agdfConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/agdfConfig.cmake"
    INSTALL_DESTINATION "${agdf_package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/agdfConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/agdfConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/agdfConfigVersion.cmake"
              cmake/FindAsio.cmake cmake/agdf-compiled.cmake
    DESTINATION "${agdf_package_dir}" COMPONENT agdf ${agdf_optional})

install(TARGETS agdf EXPORT agdfTargets FILE_SET HEADERS COMPONENT agdf ${agdf_optional}
                                        FILE_SET implementation COMPONENT agdf ${agdf_optional})
install(TARGETS agdf_compiled_interface EXPORT agdfTargets)
install(EXPORT agdfTargets NAMESPACE agdf:: DESTINATION "${agdf_package_dir}" COMPONENT agdf ${agdf_optional})
export(EXPORT agdfTargets NAMESPACE agdf:: FILE "${CMAKE_CURRENT_BINARY_DIR}/agdfTargets.cmake")

if(AGDF_HTTP)
    install(TARGETS agdf_http EXPORT agdf-httpTargets FILE_SET HEADERS COMPONENT agdf ${agdf_optional})
    install(EXPORT agdf-httpTargets NAMESPACE agdf:: DESTINATION "${agdf_package_dir}" COMPONENT agdf ${agdf_optional})
    export(EXPORT agdf-httpTargets NAMESPACE agdf:: FILE "${CMAKE_CURRENT_BINARY_DIR}/agdf-httpTargets.cmake")
endif()
