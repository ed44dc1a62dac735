#pragma once

// Floor 2: a word from an execution context that is about to go.

#include <agdf/detail/asio.hpp>

#include <atomic>
#include <cstddef>
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
    virtual ~ShutdownHook() = default;

private:
    friend class ShutdownService;
    ShutdownHook* previous_ = nullptr;
    ShutdownHook* next_ = nullptr;
    bool linked_ = false;
};

/// The list of those hooks, one for each execution context.
///
/// Thread-safety: safe.
class AGDF_ONE_IN_PROGRAM ShutdownService : public asio::execution_context::service {
public:
    using key_type = ShutdownService;
    inline static asio::execution_context::id id;

    explicit ShutdownService(asio::execution_context& context);

    void add(ShutdownHook& hook);

    void remove(ShutdownHook& hook) noexcept;

    /// Somebody on a thread of another context may resume a coroutine of this one. The context waits until each of them
    /// has come back from its post, in which it uses the context's strands: a moment, since nobody is called meanwhile.
    void expect_wake() noexcept { expected_.fetch_add(1, std::memory_order_relaxed); }
    /// It has come back; the service may be gone afterwards.
    void woken() noexcept { expected_.fetch_sub(1, std::memory_order_release); }

private:
    AGDF_DECL void shutdown() noexcept override;

    [[nodiscard]] ShutdownHook* take_first() noexcept;

    void unlink(ShutdownHook& hook) noexcept;

    std::mutex mutex_;
    ShutdownHook* first_ = nullptr;
    std::atomic<std::size_t> expected_{0};
};

}  // namespace agdf::detail

#if defined(AGDF_HEADER_ONLY)
#include <agdf/impl/shutdown.ipp>
#endif
