#pragma once

// Floor 2: a word from an execution context that is about to go.

#include <agdf/detail/shutdown.hpp>

#include <thread>

namespace agdf::detail {

/// As much of an executor as a strand asks for when it is made; nothing runs on it.
struct ContextExecutor {
    asio::execution_context* context;

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept { return *context; }
    template <class F>
    void execute(F&&) const noexcept
    {
    }
    friend bool operator==(const ContextExecutor&, const ContextExecutor&) noexcept = default;
};

// Services shut down in the reverse order of their making, so that of Asio's strands has to be there first: one that has
// shut down destroys whatever is posted to it, on the thread that posts. That may be the end of a hook, which another
// thread is about to call.
AGDF_DECL ShutdownService::ShutdownService(asio::execution_context& context) : asio::execution_context::service(context)
{
    (void)asio::strand<ContextExecutor>{ContextExecutor{&context}};
}

AGDF_DECL void ShutdownService::add(ShutdownHook& hook)
{
    const std::lock_guard lock{mutex_};
    hook.next_ = first_;
    hook.previous_ = nullptr;
    if (first_)
        first_->previous_ = &hook;
    first_ = &hook;
    hook.linked_ = true;
}

AGDF_DECL void ShutdownService::remove(ShutdownHook& hook) noexcept
{
    const std::lock_guard lock{mutex_};
    unlink(hook);
}

AGDF_DECL void ShutdownService::shutdown() noexcept
{
    while (ShutdownHook* const hook = take_first())
        hook->context_is_going();
    while (expected_.load(std::memory_order_acquire) > 0)
        std::this_thread::yield();
}

AGDF_DECL ShutdownHook* ShutdownService::take_first() noexcept
{
    const std::lock_guard lock{mutex_};
    ShutdownHook* const hook = first_;
    if (hook)
        unlink(*hook);
    return hook;
}

AGDF_DECL void ShutdownService::unlink(ShutdownHook& hook) noexcept
{
    if (!hook.linked_)
        return;
    (hook.previous_ ? hook.previous_->next_ : first_) = hook.next_;
    if (hook.next_)
        hook.next_->previous_ = hook.previous_;
    hook.linked_ = false;
}

}  // namespace agdf::detail
