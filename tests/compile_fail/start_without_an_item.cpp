// expect: agdf::start(node): the node takes an item
#include <agdf/agdf.hpp>

agdf::RunOptions begin(agdf::Node<int, int> node)
{
    return {.start = {agdf::start(node)}};
}
