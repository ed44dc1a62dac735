#pragma once

// Floor 4: a node as it was added.

#include <agdf/detail/node_spec.hpp>

namespace agdf::detail {

AGDF_DECL NodeSpec::NodeSpec(std::string&& name, NodeOptions&& options, ItemType&& in, ItemType&& out, BodyFacts facts)
    : name_(std::move(name)), options_(std::move(options)), in_(std::move(in)), out_(std::move(out)), facts_(facts)
{
}

AGDF_DECL NodeSpec::~NodeSpec() = default;

}  // namespace agdf::detail
