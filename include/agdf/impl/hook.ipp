#pragma once

// Floor 1: what a node does before its first item and after its last one.

#include <agdf/hook.hpp>

namespace agdf {

AGDF_DECL Hook::Hook() = default;
AGDF_DECL Hook::Hook(const Hook&) = default;
AGDF_DECL Hook::Hook(Hook&&) noexcept = default;
AGDF_DECL Hook& Hook::operator=(const Hook&) = default;
AGDF_DECL Hook& Hook::operator=(Hook&&) noexcept = default;
AGDF_DECL Hook::~Hook() = default;

AGDF_DECL asio::awaitable<void> Hook::operator()() const { return call_(); }

}  // namespace agdf
