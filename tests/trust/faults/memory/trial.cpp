#include "trial.hpp"

#include "support/counted.hpp"

#include <asio/version.hpp>

#include <cxxabi.h>
#include <execinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace faults {
namespace {

// Where Asio calls what may allocate from a function that must not throw, so that nobody can catch the std::bad_alloc:
//
//  impl/awaitable.hpp, await_transform(Function)::result::await_suspend: the start of every asynchronous operation that a
//      coroutine awaits is called in there, and is noexcept before Asio 1.23.
//  detail/handler_work.hpp, handler_work's constructor: it asks a type-erased executor to count the work, which allocates,
//      and is noexcept. Every timer and every socket goes through it.
//  impl/awaitable.hpp, ~awaitable_thread: a suspended coroutine that is given up is posted to its executor for that.
//  detail/impl/strand_executor_service.hpp, ~on_invoker_exit: the strand posts itself for those who wait.
//  detail/impl/strand_executor_service.ipp, create_implementation: without memory for a strand's mutex it destroys a strand
//      whose members have no value yet, which crashes or hangs.
//
// Parts of mangled names, as they stand in a stack trace.
constexpr std::array asio_places{
    std::string_view{"on_invoker_exitD"},
    std::string_view{"16awaitable_threadINS_15any_io_executorEED"},
    std::string_view{"13await_suspendENSt"},
    std::string_view{"11strand_implD"},
    std::string_view{"4asio6detail12handler_workI"},
};

// Where a coroutine is woken, mostly from another thread. Asio first puts what is posted into the strand's queue and then
// asks for the memory to run it; if there is none the strand never runs again, so that nobody could try once more, and who
// wakes others has nobody to tell.
struct Place {
    std::string_view part, rest;
};
constexpr std::array waking_places{
    Place{"4agdf6detail4Lane10post_drainEv", ""},
    Place{"4agdf6detail16ChannelOperationI", "E6resumeEv"},
    Place{"4agdf6detail12BlockingPool12start_threadEvENKUlvE_clEv", ""},
};

constexpr int hang_limit = 20;       // seconds
constexpr int first_exit_code = 40;  // of a child, plus its verdict: a sanitizer's is another one
constexpr std::chrono::seconds pool_limit{2};
constexpr std::size_t most_lines = 14;

int report_to = -1;

void say(std::string_view text) noexcept
{
    if (::write(report_to, text.data(), text.size()) < 0)
        std::_Exit(99);
}

[[noreturn]] void end(Verdict verdict, std::string_view text = {}) noexcept
{
    say(text);
    std::_Exit(first_exit_code + static_cast<int>(verdict));
}

[[noreturn]] void end_with_trace(Verdict verdict, std::string_view text) noexcept
{
    end_shortage();
    say(text);
    std::array<void*, 64> frames{};
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    ::backtrace_symbols_fd(frames.data(), count, report_to);
    std::_Exit(first_exit_code + static_cast<int>(verdict));
}

[[noreturn]] void on_terminate() noexcept { end_with_trace(Verdict::terminated, "std::terminate\n"); }

void on_signal(int number) noexcept
{
    if (number == SIGALRM)
        end_with_trace(Verdict::hung, "no end in sight\n");
    end_with_trace(Verdict::broken, "the process crashes\n");
}

/// A call in the blocking pool ends on its own.
void wait_for_the_pool(long live)
{
    const auto end = std::chrono::steady_clock::now() + pool_limit;
    while ((live_allocations() > live + 1 || test::Counted::alive() != 0) && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
}

[[noreturn]] void run_in_child(const Scenario& scenario, Shortage shortage)
{
    std::set_terminate(on_terminate);
    for (const int number : {SIGALRM, SIGSEGV, SIGBUS, SIGABRT})
        std::signal(number, on_signal);
    ::alarm(hang_limit);
    const long live = live_allocations();
    Verdict verdict = Verdict::survived;
    std::string text;
    begin_shortage(shortage);
    try {
        scenario.run();
    } catch (const Broken& broken) {
        end_shortage();
        end(Verdict::broken, broken.what);
    } catch (const std::exception& error) {
        end_shortage();
        verdict = Verdict::failed;
        text = error.what();
    } catch (...) {
        end_shortage();
        end(Verdict::broken, "something that is no std::exception was thrown");
    }
    end_shortage();
    wait_for_the_pool(live);
    if (test::Counted::alive() != 0)
        end(Verdict::leaked, "objects are alive after the end: " + std::to_string(test::Counted::alive()) + ". " + text);
    {
        const long left = live_allocations() - live - (text.capacity() > 15 ? 1 : 0);
        if (left != 0)
            end(Verdict::leaked, "blocks are left after the end: " + std::to_string(left) + ". " + text);
    }
    end(failed_allocations() == 0 ? Verdict::untouched : verdict, text);
}

std::string read_all(int descriptor)
{
    std::string text;
    std::array<char, 4'096> buffer{};
    for (ssize_t size = 0; (size = ::read(descriptor, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(size));
    return text;
}

/// The functions of a stack trace that are Asio's or ours.
std::string readable(const std::string& text)
{
    std::string result;
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t open = line.find("(_Z");
        if (open == std::string::npos) {
            if (line.find("(+0x") == std::string::npos && line.find(".so") == std::string::npos)
                result += line + "\n";
            continue;
        }
        int status = 0;
        const std::string mangled = line.substr(open + 1, line.find('+', open) - open - 1);
        char* const name = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
        const std::string_view known{name ? name : ""};
        const bool tells = known.find("invoke") == known.npos && known.find("agdf::") < known.find('(') + 40;
        if (tells && ++lines <= most_lines)
            result += "    " + std::string{name}.substr(0, 150) + "\n";
        std::free(name);
    }
    return result;
}

bool is_waking(const std::string& trace)
{
    for (const Place& place : waking_places) {
        const std::size_t at = trace.find(place.part);
        if (at != std::string::npos && trace.substr(at, trace.find('\n', at) - at).find(place.rest) != std::string::npos)
            return true;
    }
    return false;
}

bool is_asios(const std::string& trace)
{
    for (const std::string_view place : asio_places)
        if (trace.find(place) != std::string::npos)
            return true;
    return false;
}

}  // namespace

void warm_up(const Scenario& scenario)
{
    try {
        scenario.run();
    } catch (const Broken& broken) {
        throw std::runtime_error(scenario.name + ", without a fault: " + broken.what);
    }
    // A child must not inherit what a thread of the blocking pool is about to destroy.
    const auto end = std::chrono::steady_clock::now() + pool_limit;
    while (test::Counted::alive() != 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    std::array<void*, 1> frame{};
    (void)::backtrace(frame.data(), 1);  // loads a library the first time
}

Trial try_with(const Scenario& scenario, Shortage shortage)
{
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0)
        throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0)
        throw std::runtime_error("no process");
    if (child == 0) {
        ::close(pipe[0]);
        report_to = pipe[1];
        ::dup2(pipe[1], 2);  // what a sanitizer says
        run_in_child(scenario, shortage);
    }
    ::close(pipe[1]);
    Trial trial;
    trial.text = read_all(pipe[0]);
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        trial.verdict = WTERMSIG(status) == SIGALRM ? Verdict::hung : Verdict::broken;
        trial.text += "\nended by signal " + std::to_string(WTERMSIG(status));
    } else if (const int number = WEXITSTATUS(status) - first_exit_code; number >= 0 && number <= static_cast<int>(Verdict::broken)) {
        trial.verdict = static_cast<Verdict>(number);
    } else {
        trial.text += "\nended with exit code " + std::to_string(WEXITSTATUS(status));
    }
    if (trial.verdict >= Verdict::terminated && is_asios(trial.text))
        trial.verdict = Verdict::asio;
    if (trial.verdict == Verdict::terminated && is_waking(trial.text))
        trial.verdict = Verdict::waking;
    trial.text = readable(trial.text);
    return trial;
}

}  // namespace faults
