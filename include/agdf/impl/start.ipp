#pragma once

// Floor 5: where a run begins, and with what.

#include <agdf/detail/fmt.hpp>
#include <agdf/start.hpp>

namespace agdf {

AGDF_DECL void detail::refuse_start_item(const std::string& node)
{
    throw GraphError(fmt::format("agdf::start('{}', item): the item was moved into an earlier run, or is there twice, and it cannot be copied. "
                                 "Expected: a start item for each use. Make a new one with agdf::start.",
                                 node));
}

AGDF_DECL StartItem::StartItem(detail::Blueprint* blueprint, std::size_t index, std::string name, std::shared_ptr<detail::StartValue> value)
    : blueprint_(blueprint), index_(index), name_(std::move(name)), value_(std::move(value))
{
}

AGDF_DECL StartItem::StartItem(const StartItem&) = default;
AGDF_DECL StartItem::StartItem(StartItem&&) noexcept = default;
AGDF_DECL StartItem& StartItem::operator=(const StartItem&) = default;
AGDF_DECL StartItem& StartItem::operator=(StartItem&&) noexcept = default;
AGDF_DECL StartItem::~StartItem() = default;

AGDF_DECL std::size_t StartItem::node_of(const detail::Blueprint& blueprint) const
{
    if (blueprint_ == nullptr)
        return blueprint.index_of("run", name_);
    if (blueprint_ != &blueprint)
        throw GraphError("agdf::start(node, item): the node belongs to another graph. Expected: a handle that this graph's "
                         "add_node returned. Use that one, or the node's name.");
    return index_;
}

AGDF_DECL StartItems::StartItems() = default;
AGDF_DECL StartItems::StartItems(const StartItems&) = default;
AGDF_DECL StartItems::StartItems(StartItems&&) noexcept = default;
AGDF_DECL StartItems& StartItems::operator=(const StartItems&) = default;
AGDF_DECL StartItems& StartItems::operator=(StartItems&&) noexcept = default;
AGDF_DECL StartItems::~StartItems() = default;
AGDF_DECL StartItems::StartItems(StartItem item) { push_back(std::move(item)); }

AGDF_DECL StartItem start(std::string_view name)
{
    return {nullptr, 0, std::string{name}, nullptr};
}

}  // namespace agdf
