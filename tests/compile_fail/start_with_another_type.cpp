// expect: agdf::start(node, item): the item does not fit the node
#include <agdf/agdf.hpp>

agdf::RunOptions begin(agdf::Node<int, int> node)
{
    return {.start = {agdf::start(node, std::string{"one"})}};
}
