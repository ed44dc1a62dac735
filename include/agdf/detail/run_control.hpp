#pragma once

// Floor 2: a run, as those see it who watch and control it from the side.

#include <agdf/detail/asio.hpp>
#include <agdf/error.hpp>
#include <agdf/stats.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace agdf::detail {

/// A run, as seen from outside.
class RunControl {
public:
    virtual void stop() = 0;
    virtual void cancel() = 0;
    virtual void pause() = 0;
    virtual void resume() = 0;
    [[nodiscard]] virtual bool is_paused() const = 0;
    [[nodiscard]] virtual std::vector<NodeStats> stats() const = 0;
    /// Whether a node takes no items.
    [[nodiscard]] virtual bool is_source(std::size_t node) const = 0;
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

}  // namespace agdf::detail
