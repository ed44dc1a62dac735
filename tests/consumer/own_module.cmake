# A project that finds Asio with a module of its own, before agdf comes and still afterwards.
set(module_path "${CMAKE_CURRENT_LIST_DIR}/modules")
list(APPEND CMAKE_MODULE_PATH "${module_path}")

function(expect_own_module_path)
    if(NOT CMAKE_MODULE_PATH STREQUAL module_path)
        message(FATAL_ERROR "CMAKE_MODULE_PATH is '${CMAKE_MODULE_PATH}'. Expected: '${module_path}', as it was before agdf.")
    endif()
endfunction()
