// The limit by hand: the same functions, called over ring buffers in a loop, batch by batch.

#include "systems.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace benchmark::limit {

namespace {

std::size_t power_of_two(std::size_t at_least)
{
    std::size_t size = 1;
    while (size < at_least)
        size *= 2;
    return size;
}

template <class T>
class Ring {
public:
    explicit Ring(std::size_t places) : places_(power_of_two(places)), mask_(places_.size() - 1) {}

    [[nodiscard]] bool empty() const { return first_ == end_; }
    [[nodiscard]] bool full() const { return end_ - first_ == places_.size(); }
    void push(T item) { places_[end_++ & mask_] = std::move(item); }
    T pop() { return std::move(places_[first_++ & mask_]); }

private:
    std::vector<T> places_;
    std::size_t mask_;
    std::size_t first_ = 0;
    std::size_t end_ = 0;
};

/// A node. It is a function of its own, as the nodes of a program are that was not written for one chain only.
template <auto function, class T>
[[gnu::noinline]] void pass(Ring<T>& in, Ring<T>& out)
{
    while (!in.empty() && !out.full())
        out.push(function(in.pop()));
}

template <class T, auto first, auto second, auto third>
Int run_chain(const Setup& setup)
{
    Ring<T> a{setup.queue_size};
    Ring<T> b{setup.queue_size};
    Ring<T> c{setup.queue_size};
    Ring<T> d{setup.queue_size};
    Int made = 0;
    Int summed = 0;
    Int sum = 0;
    while (summed < setup.items) {
        while (made < setup.items && !a.full())
            a.push(make_item<T>(made++));
        pass<first>(a, b);
        pass<second>(b, c);
        pass<third>(c, d);
        for (; !d.empty(); ++summed)
            sum += value_of(d.pop());
    }
    return sum;
}

/// One thread pushes and one pops; each tells the other of a whole batch at once.
class SharedRing {
public:
    explicit SharedRing(std::size_t places) : places_(power_of_two(places)), mask_(places_.size() - 1) {}

    void push_all(Ring<Int>& from)
    {
        std::size_t end = end_.load(std::memory_order_relaxed);
        const std::size_t stop = first_.load(std::memory_order_acquire) + places_.size();
        while (end != stop && !from.empty())
            places_[end++ & mask_] = from.pop();
        end_.store(end, std::memory_order_release);
    }

    void pop_all(Ring<Int>& into)
    {
        std::size_t first = first_.load(std::memory_order_relaxed);
        const std::size_t end = end_.load(std::memory_order_acquire);
        while (first != end && !into.full())
            into.push(places_[first++ & mask_]);
        first_.store(first, std::memory_order_release);
    }

private:
    std::vector<Int> places_;
    std::size_t mask_;
    alignas(64) std::atomic<std::size_t> first_{0};
    alignas(64) std::atomic<std::size_t> end_{0};
};

}  // namespace

Int w1(const Setup& setup) { return run_chain<Int, f1, f2, f3>(setup); }
Int w5(const Setup& setup) { return run_chain<Heavy, on_payload<f1>, on_payload<f2>, on_payload<f3>>(setup); }

Int w5_depth_first(const Setup& setup)
{
    Ring<Heavy> a{1};
    Ring<Heavy> b{1};
    Ring<Heavy> c{1};
    Ring<Heavy> d{1};
    Int sum = 0;
    for (Int i = 0; i < setup.items; ++i) {
        a.push(make_heavy(i));
        pass<on_payload<f1>>(a, b);
        pass<on_payload<f2>>(b, c);
        pass<on_payload<f3>>(c, d);
        sum += value_of(d.pop());
    }
    return sum;
}

Int w1_two_threads(const Setup& setup)
{
    SharedRing shared{setup.queue_size};
    std::jthread ahead{[&] {
        Ring<Int> a{setup.queue_size};
        Ring<Int> b{setup.queue_size};
        for (Int made = 0; made < setup.items || !a.empty() || !b.empty();) {
            while (made < setup.items && !a.full())
                a.push(made++);
            pass<f1>(a, b);
            shared.push_all(b);
            if (b.full())
                std::this_thread::yield();
        }
    }};
    Ring<Int> b{setup.queue_size};
    Ring<Int> c{setup.queue_size};
    Ring<Int> d{setup.queue_size};
    Int sum = 0;
    for (Int summed = 0; summed < setup.items;) {
        shared.pop_all(b);
        if (b.empty())
            std::this_thread::yield();
        pass<f2>(b, c);
        pass<f3>(c, d);
        for (; !d.empty(); ++summed)
            sum += d.pop();
    }
    return sum;
}

Int w2(const Setup& setup)
{
    Ring<Int> a{setup.queue_size};
    Ring<Int> b{setup.queue_size};
    Ring<Int> c{setup.queue_size};
    Int made = 0;
    Int summed = 0;
    Int sum = 0;
    while (summed < 2 * setup.items) {
        for (; made < setup.items && !a.full() && !b.full(); ++made) {
            a.push(made);
            b.push(made);
        }
        while (!a.empty() || !b.empty()) {
            pass<f1>(a, c);
            pass<f2>(b, c);
            for (; !c.empty(); ++summed)
                sum += c.pop();
        }
    }
    return sum;
}

// All delays are the same, so what began first is due first.
Int w3(const Setup& setup)
{
    using Clock = std::chrono::steady_clock;
    struct Timer {
        Clock::time_point due;
        Int item = 0;
    };
    Ring<Timer> under_way{timers};
    Int made = 0;
    Int sum = 0;
    Clock::time_point now = Clock::now();
    for (Int summed = 0; summed < setup.items; ++summed) {
        while (made < setup.items && static_cast<std::size_t>(made - summed) < timers)
            under_way.push({now + timer_delay, made++});
        const Timer first = under_way.pop();
        if (first.due > now) {
            std::this_thread::sleep_until(first.due);
            now = Clock::now();
        }
        sum += f1(first.item);
    }
    return sum;
}

Int w4(const Setup& setup)
{
    std::vector<Int> sums(setup.threads);
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < setup.threads; ++t)
            threads.emplace_back([&, t] {
                Int sum = 0;
                for (auto i = static_cast<Int>(t); i < setup.items; i += static_cast<Int>(setup.threads))
                    sum += compute(i);
                sums[t] = sum;
            });
    }
    Int sum = 0;
    for (const Int part : sums)
        sum += part;
    return sum;
}

Int w4_serial(const Setup& setup) { return sum_of(setup.items, compute); }

Int w6(const Setup& setup)
{
    Ring<Int> a{setup.queue_size};
    Ring<Int> b{setup.queue_size};
    const Int inputs = setup.items / outputs_per_input;
    Int made = 0;
    Int summed = 0;
    Int sum = 0;
    Int input = 0;
    Int outputs = outputs_per_input;  // of the input at hand
    while (summed < inputs * outputs_per_input) {
        while (made < inputs && !a.full())
            a.push(made++);
        while (!b.full() && (outputs < outputs_per_input || !a.empty())) {
            if (outputs == outputs_per_input) {
                input = a.pop();
                outputs = 0;
            }
            b.push(output_of(input, outputs++));
        }
        for (; !b.empty(); ++summed)
            sum += b.pop();
    }
    return sum;
}

Int w7(const Setup& setup)
{
    std::atomic<Int> next{0};
    std::atomic<Int> sum{0};
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < blocking_calls; ++t)
            threads.emplace_back([&] {
                for (Int i = next++; i < setup.items; i = next++)
                    sum += block(i);
            });
    }
    return sum;
}

}  // namespace benchmark::limit
