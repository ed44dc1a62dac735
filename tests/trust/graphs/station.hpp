#pragma once

// What the bodies of a node share in a run, and what they note of it.

#include "script.hpp"

#include <agdf/agdf.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace graphs {

/// An error that may go away.
class Flaky : public std::runtime_error {
public:
    Flaky() : std::runtime_error("flaky") {}
};
/// The same, which says when to come back.
class FlakyForNow final : public Flaky, public agdf::RetryAfter {
public:
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retry_after() const noexcept override { return std::chrono::milliseconds(3); }
};
class Fatal : public std::runtime_error {
public:
    Fatal() : std::runtime_error("fatal") {}
};
/// What an edge throws.
class EdgeError : public std::runtime_error {
public:
    EdgeError() : std::runtime_error("edge") {}
};

/// Numbers that came, as a multiset, and as a sequence if one thread at a time adds to it.
class Tally {
public:
    void begin_anew(bool in_order)
    {
        count_ = sum_ = 0;
        if (in_order_ != in_order)  // else a call that blocks and was left alone in an earlier run may be reading it
            in_order_ = in_order;
        sequence_.clear();
    }
    void add(Number value)
    {
        count_.fetch_add(1, std::memory_order_relaxed);
        sum_.fetch_add(mix(value), std::memory_order_relaxed);
        if (in_order_)
            sequence_.push_back(value);
    }
    [[nodiscard]] Number count() const noexcept { return count_; }
    /// Two multisets of the same size and the same sum are as good as equal.
    [[nodiscard]] Number sum() const noexcept { return sum_; }
    [[nodiscard]] bool is_in_order() const noexcept { return in_order_; }
    [[nodiscard]] const std::vector<Number>& sequence() const noexcept { return sequence_; }

private:
    std::atomic<Number> count_{0};
    std::atomic<Number> sum_{0};
    bool in_order_ = false;
    std::vector<Number> sequence_;
};

/// How many are somewhere, and how many there were at most.
class Gauge {
public:
    void begin_anew() noexcept { now_ = most_ = 0; }
    void enter() noexcept
    {
        const Number now = now_.fetch_add(1, std::memory_order_relaxed) + 1;
        Number most = most_.load(std::memory_order_relaxed);
        while (most < now && !most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
        }
    }
    void leave() noexcept { now_.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] Number now() const noexcept { return now_.load(std::memory_order_relaxed); }
    [[nodiscard]] Number most() const noexcept { return most_.load(std::memory_order_relaxed); }

private:
    std::atomic<Number> now_{0};
    std::atomic<Number> most_{0};
};

/// What is wrong, from any thread.
class Complaints {
public:
    void add(std::string text)
    {
        const std::lock_guard lock{mutex_};
        if (texts_.size() < 20)
            texts_.push_back(std::move(text));
    }
    [[nodiscard]] std::vector<std::string> take()
    {
        const std::lock_guard lock{mutex_};
        return std::exchange(texts_, {});
    }

private:
    std::mutex mutex_;
    std::vector<std::string> texts_;
};

/// What all stations of a graph share.
struct Common {
    Complaints complaints;
    std::atomic<Number> setups_to_come{0};
    std::atomic<bool> is_torn_down{false};
    std::atomic<Number> calls{0};  ///< of bodies, so far
};

class Station {
public:
    Station(std::shared_ptr<Common> common, NodePlan node, std::string name, std::shared_ptr<Gauge> limit)
        : node_(node), name_(std::move(name)), common_(std::move(common)), limit_(std::move(limit))
    {
        if (node_.flaky > 0)
            attempts_ = std::make_unique<std::atomic<unsigned char>[]>(most_ids);
    }

    /// @param threads  Whether several threads will run the graph.
    void begin_anew(bool threads)
    {
        const bool alone = node_.workers == 1 || !threads;
        seen.begin_anew(alone && !node_.facts().blocking);
        contents.begin_anew(alone);
        gauge.begin_anew();
        if (limit_)
            limit_->begin_anew();
        finished = setups = teardowns = makes = edge_errors = 0;
        taken = 0;
        if (attempts_)
            for (std::size_t i = 0; i < most_ids; ++i)
                attempts_[i].store(0, std::memory_order_relaxed);
    }

    [[nodiscard]] const NodePlan& node() const noexcept { return node_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] Common& common() noexcept { return *common_; }
    [[nodiscard]] Gauge* limit() noexcept { return limit_.get(); }

    /// Counts an attempt on an item, from 1.
    [[nodiscard]] Number next_attempt(const Item& item) noexcept
    {
        return attempts_ ? attempts_[item.id() % most_ids].fetch_add(1, std::memory_order_relaxed) + Number{1} : 1;
    }

    /// Throws if the attempt is to fail before this output.
    void fail_if_due(const Script& script, Number output, Number attempt) const
    {
        if (output != script.fail_after)
            return;
        if (attempt <= script.flaky && node_.asks > 0)
            throw FlakyForNow();
        if (attempt <= script.flaky)
            throw Flaky();
        if (script.fatal)
            throw Fatal();
    }

    void complain(const std::string& text) { common_->complaints.add("node '" + name_ + "': " + text); }

    Tally seen;
    Tally contents;
    Gauge gauge;
    std::atomic<Number> finished{0};
    std::atomic<Number> setups{0};
    std::atomic<Number> teardowns{0};
    std::atomic<Number> makes{0};
    std::atomic<Number> edge_errors{0};  ///< outputs at which an edge threw
    Number taken = 0;  // by a whole-stream body; by one worker only

private:
    static constexpr std::size_t most_ids = 1U << 15U;

    const NodePlan node_;
    const std::string name_;
    const std::shared_ptr<Common> common_;
    const std::shared_ptr<Gauge> limit_;
    std::unique_ptr<std::atomic<unsigned char>[]> attempts_;
};

/// A call of a body, as long as it works.
class Call {
public:
    explicit Call(Station& station) : station_(station)
    {
        Common& common = station_.common();
        common.calls.fetch_add(1, std::memory_order_relaxed);
        if (common.setups_to_come.load(std::memory_order_relaxed) > 0)
            station_.complain("a body was called before all setups had ended");
        if (common.is_torn_down.load(std::memory_order_relaxed))
            station_.complain("a body was called after a teardown");
        go_on();
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() { rest(); }

    /// The body waits for something that gives its place to others.
    void rest() noexcept
    {
        if (!std::exchange(works_, false))
            return;
        station_.gauge.leave();
        if (station_.limit())
            station_.limit()->leave();
    }
    void go_on() noexcept
    {
        works_ = true;
        station_.gauge.enter();
        if (station_.limit())
            station_.limit()->enter();
    }
    void see(Number value)
    {
        if (value == Item::moved_from)
            station_.complain("it got an item that somebody had moved from");
        station_.seen.add(value);
    }
    void finish() noexcept { station_.finished.fetch_add(1, std::memory_order_relaxed); }

private:
    Station& station_;
    bool works_ = false;
};

}  // namespace graphs
