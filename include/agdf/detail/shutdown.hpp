#pragma once

// Floor 2: a word from an execution context that is about to go.

#include <agdf/detail/asio.hpp>

#include <mutex>

namespace agdf::detail {

/// Somebody who must let go of suspended coroutines before their execution context dies.
///
/// A coroutine that sleeps in one of our queues, and not in Asio's, is unknown to its context: without this hook
/// its frame would leak when the context is destroyed, or be destroyed after it.
class ShutdownHook {
public:
    virtual void context_is_going() noexcept = 0;

protected:
    ShutdownHook() = default;
    ShutdownHook(const ShutdownHook&) = delete;
    ShutdownHook& operator=(const ShutdownHook&) = delete;
    ~ShutdownHook() = default;

private:
    friend class ShutdownService;
    ShutdownHook* previous_ = nullptr;
    ShutdownHook* next_ = nullptr;
    bool linked_ = false;
};

/// The list of those hooks, one for each execution context.
///
/// Thread-safety: safe.
class ShutdownService : public asio::execution_context::service {
public:
    using key_type = ShutdownService;
    inline static asio::execution_context::id id;

    explicit ShutdownService(asio::execution_context& context) : asio::execution_context::service(context) {}

    void add(ShutdownHook& hook)
    {
        const std::lock_guard lock{mutex_};
        hook.next_ = first_;
        hook.previous_ = nullptr;
        if (first_)
            first_->previous_ = &hook;
        first_ = &hook;
        hook.linked_ = true;
    }

    void remove(ShutdownHook& hook) noexcept
    {
        const std::lock_guard lock{mutex_};
        unlink(hook);
    }

private:
    void shutdown() noexcept override
    {
        for (;;) {
            ShutdownHook* hook = nullptr;
            {
                const std::lock_guard lock{mutex_};
                hook = first_;
                if (!hook)
                    return;
                unlink(*hook);
            }
            hook->context_is_going();
        }
    }

    void unlink(ShutdownHook& hook) noexcept
    {
        if (!hook.linked_)
            return;
        (hook.previous_ ? hook.previous_->next_ : first_) = hook.next_;
        if (hook.next_)
            hook.next_->previous_ = hook.previous_;
        hook.linked_ = false;
    }

    std::mutex mutex_;
    ShutdownHook* first_ = nullptr;
};

}  // namespace agdf::detail
