# agdf_add_compiled(<include directory>): what agdf::compiled links, which is agdf::agdf for programs that shall compile
# fast: what is not a template is compiled once, into a static library of the user's own build, and Asio with it. It is
# built when something links it. Installed with agdf, so that the library is made by the compiler that uses it.
function(agdf_add_compiled include_directory)
    if(TARGET agdf_compiled)
        return()
    endif()
    add_library(agdf_compiled STATIC EXCLUDE_FROM_ALL "${include_directory}/agdf/impl/agdf.cpp" "${include_directory}/agdf/impl/asio.cpp")
    set_target_properties(agdf_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON) # a plugin may link it
    target_link_libraries(agdf_compiled PUBLIC agdf::agdf)
    target_compile_definitions(agdf_compiled PUBLIC AGDF_SEPARATE_COMPILATION ASIO_SEPARATE_COMPILATION)
endfunction()
