// expect: a pointer to characters is hashed by its address
#include <agdf/agdf.hpp>

#include <string>

const char* name_of(const std::string& name) { return name.c_str(); }

agdf::NodeOptions options{.workers = 2, .ordered_by_key = name_of};
