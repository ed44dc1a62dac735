#pragma once

// Floor 4: calling the body of a node, whatever its shape.

#include <agdf/blocking.hpp>
#include <agdf/receiver.hpp>

#include <memory>
#include <utility>

namespace agdf::detail {

/// The body of a node, with one way to call it for all its shapes.
template <class Traits>
class BodyCaller {
public:
    using Body = typename Traits::Kept;
    using In = typename Traits::In;
    using F = typename Traits::F;

    explicit BodyCaller(Body body) : body_(std::move(body)) {}

    decltype(auto) operator()([[maybe_unused]] Stored<In>& item)
    {
        if constexpr (Traits::passing == Passing::nothing)
            return function()();
        else if constexpr (Traits::passing == Passing::item)
            return CallWith<F, In>::call(function(), item);
        else
            return CallWithElements<F, In>::call(function(), item);
    }

    template <class... Item>
    decltype(auto) with(Receiver<Item>... receivers)
    {
        return function()(std::move(receivers)...);
    }

private:
    F& function() noexcept
    {
        if constexpr (Traits::blocking)
            return body_.function();
        else
            return body_;
    }

    Body body_;
};

/// A body that several share. The owner does not say whose type it is, since a smart pointer to each type would cost every program's
/// build some forty functions.
template <class Caller>
class SharedBody {
public:
    SharedBody() = default;
    explicit SharedBody(Caller* body) : owner_(body), body_(body) {}

    [[nodiscard]] Caller& operator*() const noexcept { return *body_; }
    [[nodiscard]] Caller* operator->() const noexcept { return body_; }

private:
    std::shared_ptr<void> owner_;
    Caller* body_ = nullptr;
};

/// A call of a body that owns what it needs, for the blocking pool: it may go on when its worker has gone.
template <class Caller>
class BodyCall {
public:
    using Item = Stored<typename Caller::In>;

    BodyCall(SharedBody<Caller> body, Item&& item) : body_(std::move(body)), item_(std::move(item)) {}

    auto operator()() { return (*body_)(item_); }  // a value, which outlives the call

private:
    SharedBody<Caller> body_;
    Item item_;
};

}  // namespace agdf::detail
