#pragma once

// Floor 3: a run, as those see it who watch and control it from the side.

#include <agdf/detail/asio.hpp>
#include <agdf/error.hpp>
#include <agdf/report.hpp>
#include <agdf/stats.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace agdf::detail {

/// What is to be done with the report.
class Completion {
public:
    Completion() = default;
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;
    virtual ~Completion() = default;
    virtual void complete(RunReport report) = 0;
};

/// A run, as seen from outside.
class RunControl {
public:
    /// Begins. From here on the run keeps itself alive.
    ///
    /// Errors: throws GraphError if the graph is running, or this run has begun before. The completion is left where it is then.
    virtual void begin(std::unique_ptr<Completion>& completion) = 0;
    virtual void stop() = 0;
    virtual void cancel() = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
    [[nodiscard]] virtual bool is_paused() const = 0;
    [[nodiscard]] virtual std::vector<NodeStats> stats() const = 0;
    /// Whether a node has no items that it could hold.
    [[nodiscard]] virtual bool begins_by_itself(std::size_t node) = 0;
    virtual void log(LogLevel level, std::string_view line) noexcept = 0;

protected:
    ~RunControl() = default;
};

/// Looks at a run from the side.
class Watch {
public:
    virtual void begin() = 0;
    virtual void end() = 0;
    virtual void context_is_going() noexcept = 0;
    /// The first signal that came; 0 if none did.
    [[nodiscard]] virtual int signal() const { return 0; }

protected:
    ~Watch() = default;
};

/// What makes a watch. An option carries it that asks for one: so the build of a program which does not name the option has
/// nothing to do with the watch.
using MakeWatch = std::shared_ptr<Watch> (*)(const asio::any_io_executor& executor, std::chrono::steady_clock::duration time,
                                             std::weak_ptr<RunControl> run);

// They are templates of the type of their option, and so made only for programs that name it. Defined in impl/run_watch.ipp.
template <class Switch>
[[nodiscard]] std::shared_ptr<Watch> make_signal_watch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration grace,
                                                       std::weak_ptr<RunControl> run);
template <class Time>
[[nodiscard]] std::shared_ptr<Watch> make_stall_watch(const asio::any_io_executor& executor, std::chrono::steady_clock::duration stall_after,
                                                      std::weak_ptr<RunControl> run);

}  // namespace agdf::detail
