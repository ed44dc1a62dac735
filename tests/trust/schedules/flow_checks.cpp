// What must hold after each run of a graph, whatever it was.

#include "flow.hpp"

#include <algorithm>

namespace schedules {

void Flow::check_outcome(const agdf::RunReport& report)
{
    using agdf::Outcome;
    std::uint64_t errors = 0;
    bool halts = was_halted();
    for (const auto& book : books_) {
        const std::uint64_t mine = report.node(book->name).err + book->hook_errors;
        errors += mine;
        halts = halts || (mine > book->hook_errors && book->halts);
    }
    const Outcome expected = halts            ? Outcome::halted
                             : was_cancelled_ ? Outcome::cancelled
                             : was_stopped_   ? Outcome::stopped
                             : errors > 0     ? Outcome::completed_with_errors
                                              : Outcome::completed;
    world_.expect(report.outcome == expected, "the run ended as {}, and should as {}", agdf::to_string(report.outcome), agdf::to_string(expected));
    world_.expect((report.first_error != nullptr) == (errors > 0 || halts), "{} errors, and the first error is {}", errors,
                  report.first_error ? "there" : "missing");
    world_.expect((report.exit_code() == 0) == (expected == Outcome::completed), "the exit code is {} for {}", report.exit_code(),
                  agdf::to_string(expected));
    world_.expect(inside_ > 0 || semaphore_.available() == semaphore_.permits(), "{} of {} permits are free after the run", semaphore_.available(),
                  semaphore_.permits());
    world_.expect(source_yields_after_ <= static_cast<int>(books_.size()), "sources yielded {} items after a stop or in a pause", source_yields_after_);
}

void Flow::check_node(const agdf::RunReport& report, const NodeBook& book)
{
    const agdf::NodeStats& stats = report.node(book.name);
    const bool discards = report.outcome == agdf::Outcome::halted || report.outcome == agdf::Outcome::cancelled;
    const auto numbers = [&] {
        return fmt::format("in {}, out {}, err {}, retried {}, dropped {}, undelivered {}; visits {}, done {}, yields {}", stats.in, stats.out, stats.err,
                           stats.retried, stats.dropped, stats.undelivered, book.visits, book.done, book.yields);
    };
    world_.note("{}: {}", book.name, numbers());
    world_.expect(stats.queue_peak <= stats.queue_size, "node {} had {} items queued, and room for {}", book.name, stats.queue_peak, stats.queue_size);
    world_.expect(stats.queued == 0 && stats.active == 0, "node {} has {} items queued and {} workers active after the run", book.name, stats.queued, stats.active);
    world_.expect(book.running == 0, "{} bodies of node {} are still there after the run", book.running, book.name);
    world_.expect(report.exceptions(book.name).size() == stats.err + book.hook_errors, "node {} has {} errors, and {} exceptions", book.name, stats.err,
                  report.exceptions(book.name).size());
    if (!book.balances)
        world_.note("{} counts for itself", book.name);
    else if (book.keeps_outputs() && (discards || stats.err > 0 || (was_stopped_ && !book.starts.empty())))
        // What a last attempt yielded before it failed or was cut short stays.
        world_.expect(book.options.retry.attempts > 1 || stats.out <= book.yields, "node {} sent more than it yielded: {}", book.name, numbers());
    else
        world_.expect(stats.out == book.yields, "node {} did not send what it yielded: {}", book.name, numbers());
    if (book.is_source) {
        world_.expect(discards || was_stopped_ || starts_elsewhere_ || book.yields == static_cast<std::size_t>(book.items), "source {} yielded {} of {} items", book.name,
                      book.yields, book.items);
        return;
    }
    std::uint64_t offered = 0;
    for (const NodeBook* const producer : book.producers)
        offered += report.node(producer->name).out;
    std::uint64_t came = stats.in;
    for (const NodeBook* const sibling : book.siblings)
        came += report.node(sibling->name).in;
    std::uint64_t failed = 0;
    for (const NodeBook* const producer : book.failing)
        failed += report.node(producer->name).err;
    if (discards)
        world_.expect(came >= offered && came <= offered + failed, "node {} was offered {} items, and {} failed: {}", book.name, offered, failed, numbers());
    else
        world_.expect(came == offered + failed, "node {} was offered {} items, and {} failed: {}", book.name, offered, failed, numbers());
    const std::uint64_t in = stats.in + book.starts.size();
    if (!book.balances)
        return;
    const std::uint64_t other = stats.err + stats.dropped + stats.undelivered;
    if (discards) {
        world_.expect(other <= in && in - other <= book.done, "node {} lost track of items: {}", book.name, numbers());
        world_.expect(in + book.options.workers >= other + book.done, "node {} counts items twice: {}", book.name, numbers());
    } else {
        const bool is_cut = was_stopped_ && !book.starts.empty();  // a stop ends what the run began with, as it ends a source
        world_.expect(stats.undelivered == 0 || book.may_give_up || is_cut, "node {} did not deliver all: {}", book.name, numbers());
        world_.expect(in == other + book.done, "node {} does not balance: {}", book.name, numbers());
        world_.expect(is_cut || stats.err + stats.retried == book.visits - book.done, "node {} does not know of each error: {}", book.name, numbers());
    }
}

/// Nothing comes that was not sent, and nothing comes twice.
void Flow::check_items(const NodeBook& book)
{
    if (book.is_source || book.producers.empty())
        return;
    const std::size_t attempts = book.options.retry.attempts;
    for (const NodeBook* const producer : book.producers)
        if (!producer->balances)
            return;  // it does not tell
    for (const auto& [number, times] : book.seen) {
        auto sent = static_cast<std::size_t>(std::count(book.starts.begin(), book.starts.end(), number));
        for (const NodeBook* const producer : book.producers) {
            const auto found = producer->sent.find(number);
            sent += found == producer->sent.end() ? 0 : static_cast<std::size_t>(found->second);
        }
        world_.expect(static_cast<std::size_t>(times) <= sent * attempts, "node {} got item {} {} times, and it was sent {} times", book.name, number, times, sent);
    }
}

}  // namespace schedules
