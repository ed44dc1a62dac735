// The context itself: what its strands promise, and that chance reaches what they do not.

#include "scenario.hpp"

#include <vector>

namespace schedules {

namespace {

class StrandScenario final : public Scenario {
public:
    explicit StrandScenario(World& world) : Scenario(world) {}

    void begin() override
    {
        const int strands = world_.random.between(1, 4);
        for (int i = 0; i < strands; ++i)
            lines_.push_back({asio::make_strand(world_.context().get_executor())});
        const int posts = world_.random.between(0, 20);
        for (int i = 0; i < posts; ++i)
            post();
    }

    [[nodiscard]] bool is_over() const override { return posted_ == run_; }
    void check() override {}
    void let_go(std::size_t) override { lines_.clear(); }
    bool destroy() override { return true; }

private:
    struct Line {
        asio::any_io_executor strand;
        int posted = 0;
        int run = 0;
        bool is_inside = false;
    };

    void post()
    {
        const std::size_t index = world_.random.below(lines_.size());
        const int number = lines_[index].posted++;
        ++posted_;
        const Alive handler;
        asio::post(lines_[index].strand, [this, index, number, handler] { run(index, number); });
    }

    void run(std::size_t index, int number)
    {
        ++run_;
        Line& line = lines_[index];
        world_.note("strand {}: {}", index, number);
        world_.expect(!line.is_inside, "two handlers of strand {} run at the same time", index);
        world_.expect(line.run == number, "handler {} of strand {} ran as number {}", number, index, line.run);
        ++line.run;
        line.is_inside = true;
        world_.let_others_run();
        line.is_inside = false;
        if (world_.random.percent(40))
            post();
    }

    std::vector<Line> lines_;
    int posted_ = 0;
    int run_ = 0;
};

const Enter<StrandScenario> entry{"strand", "strands on the context: one handler of each at a time, in order"};

}  // namespace

}  // namespace schedules
