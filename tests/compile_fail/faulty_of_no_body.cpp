// expect: agdf::testing::faulty(body, faults): this cannot be the body of a node
#include <agdf/testing.hpp>

struct Executor : asio::any_io_executor {
    using asio::any_io_executor::any_io_executor;
};

void wrap()
{
    (void)agdf::testing::faulty([](int) -> asio::awaitable<int, Executor> { co_return 1; }, {});
}
