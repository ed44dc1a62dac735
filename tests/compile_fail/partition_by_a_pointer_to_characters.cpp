// expect: a pointer to characters is none
#include <agdf/agdf.hpp>

#include <string>
#include <vector>

const char* name_of(const std::string& name) { return name.c_str(); }

void draw(agdf::Node<void, std::string> from, std::vector<agdf::Node<std::string, void>> to)
{
    agdf::partition(from, name_of, to);
}
