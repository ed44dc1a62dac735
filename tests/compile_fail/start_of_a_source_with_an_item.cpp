// expect: agdf::start(node, item): the node takes nothing
#include <agdf/agdf.hpp>

agdf::RunOptions begin(agdf::Node<void, int> node)
{
    return {.start = {agdf::start(node, 1)}};
}
