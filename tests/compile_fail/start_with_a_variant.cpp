// expect: agdf::start(node, item): the item does not fit the node. Expected: what the node's body takes
#include <agdf/agdf.hpp>

#include <string>
#include <variant>

void start_with_a_variant(agdf::Node<int, void> node)
{
    const std::variant<int, std::string> item;
    (void)agdf::start(node, item);
}
