#pragma once

// Floor 1: functions of items that do not know the item's type.

#include <agdf/item_function.hpp>

namespace agdf::detail {

AGDF_DECL ItemNumber::ItemNumber() = default;
AGDF_DECL ItemNumber::ItemNumber(const ItemNumber&) = default;
AGDF_DECL ItemNumber::ItemNumber(ItemNumber&&) noexcept = default;
AGDF_DECL ItemNumber& ItemNumber::operator=(const ItemNumber&) = default;
AGDF_DECL ItemNumber& ItemNumber::operator=(ItemNumber&&) noexcept = default;
AGDF_DECL ItemNumber::~ItemNumber() = default;

}  // namespace agdf::detail
