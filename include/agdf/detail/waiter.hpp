#pragma once

// Floor 2: those who wait in a channel, and the lists they wait in.

#include <agdf/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace agdf::detail {

/// An operation that waits in a channel.
class Waiter {
public:
    /// Resumes the operation later; called once, without any lock, after the waiter left its list.
    virtual void wake() noexcept = 0;

    /// Destroys the suspended coroutine; called when the channel or its context goes.
    virtual void abandon() noexcept = 0;

    [[nodiscard]] bool is_waiting() const noexcept { return linked_; }

protected:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    virtual ~Waiter() = default;

private:
    friend class WaiterList;
    friend class WakeList;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    bool linked_ = false;
};

/// Waiters in the order in which they came.
class WaiterList {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] Waiter* first() const noexcept { return first_; }

    void push(Waiter& waiter) noexcept
    {
        waiter.previous_ = last_;
        waiter.next_ = nullptr;
        (last_ ? last_->next_ : first_) = &waiter;
        last_ = &waiter;
        waiter.linked_ = true;
        ++size_;
    }

    Waiter* pop() noexcept { return pop(first_); }
    Waiter* pop_last() noexcept { return pop(last_); }

    void remove(Waiter& waiter) noexcept
    {
        (waiter.previous_ ? waiter.previous_->next_ : first_) = waiter.next_;
        (waiter.next_ ? waiter.next_->previous_ : last_) = waiter.previous_;
        waiter.linked_ = false;
        --size_;
    }

private:
    Waiter* pop(Waiter* waiter) noexcept
    {
        if (waiter)
            remove(*waiter);
        return waiter;
    }

    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
    std::size_t size_ = 0;
};

/// Waiters that left their list under the lock and are to be woken after it; they count as not waiting any more.
class WakeList {
public:
    void push(Waiter& waiter) noexcept
    {
        waiter.next_ = nullptr;
        (last_ ? last_->next_ : first_) = &waiter;
        last_ = &waiter;
    }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

    void wake() noexcept
    {
        while (first_) {
            Waiter* const waiter = first_;
            first_ = waiter->next_;  // before it runs, and perhaps dies
            waiter->wake();
        }
    }

private:
    Waiter* first_ = nullptr;
    Waiter* last_ = nullptr;
};

/// A send that may wait: its message leaves when it is stored.
template <class M>
class Putting : public Waiter {
public:
    std::optional<M> message;

protected:
    ~Putting() = default;
};

/// A receive that may wait: its message arrives, or stays empty when the channel has ended.
template <class M>
class Getting : public Waiter {
public:
    std::optional<M> message;
    std::uint64_t stamp = 0;  ///< how many messages were taken from the channel before this one
    bool attends = false;     ///< whether it takes the next messages as well, until `ChannelCore::pass_on`

protected:
    ~Getting() = default;
};

}  // namespace agdf::detail
