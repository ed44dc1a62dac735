// expect: agdf::RetryPredicate: the predicate has another shape
#include <agdf/agdf.hpp>

agdf::Retry patient()
{
    return {.attempts = 2, .when = [](const auto& error) { return error.status() == 503; }};
}
