#include <agdf/report.hpp>

#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using agdf::Outcome;
using agdf::RunReport;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("only a run that completed without errors exits with 0", "[report]")
{
    RunReport report;
    REQUIRE(report.exit_code() == 0);
    for (const Outcome outcome : {Outcome::completed_with_errors, Outcome::stopped, Outcome::cancelled, Outcome::halted}) {
        report.outcome = outcome;
        CHECK(report.exit_code() != 0);
    }
}

TEST_CASE("throw_if_failed throws the first error itself, and says so of a cancelled run without one", "[report]")
{
    RunReport report;
    REQUIRE_NOTHROW(report.throw_if_failed());
    report.outcome = Outcome::cancelled;
    REQUIRE_THROWS_AS(report.throw_if_failed(), asio::system_error);
    report.first_error = std::make_exception_ptr(std::out_of_range("the first"));
    REQUIRE_THROWS_AS(report.throw_if_failed(), std::out_of_range);
}

TEST_CASE("a report is asked by name, and an unknown name is answered with those there are", "[report]")
{
    RunReport report;
    agdf::NodeStats stats;
    stats.name = "parse";
    stats.in = 7;
    report.add(stats, {std::make_exception_ptr(std::runtime_error("bad row"))});
    REQUIRE(report.node("parse").in == 7);
    REQUIRE(report.exceptions("parse").size() == 1);
    REQUIRE_THROWS_WITH(report.node("prase"), ContainsSubstring("agdf::RunReport::node: node 'prase'") && ContainsSubstring("'parse'"));
    REQUIRE_THROWS_AS(report.exceptions("prase"), agdf::GraphError);
    REQUIRE_THROWS_WITH(RunReport{}.node("parse"), ContainsSubstring("Expected: a node, but there was none."));
}

TEST_CASE("outcomes have the names of the code", "[report]")
{
    REQUIRE(agdf::to_string(Outcome::completed) == "completed");
    REQUIRE(agdf::to_string(Outcome::completed_with_errors) == "completed_with_errors");
    REQUIRE(agdf::to_string(Outcome::halted) == "halted");
    REQUIRE(agdf::to_string(Outcome::stopped) == "stopped");
    REQUIRE(agdf::to_string(Outcome::cancelled) == "cancelled");
}

TEST_CASE("any exception has a text", "[error]")
{
    REQUIRE(agdf::describe(std::make_exception_ptr(std::runtime_error("text"))) == "text");
    REQUIRE(agdf::describe(std::make_exception_ptr(std::string("a string"))) == "a string");
    REQUIRE(agdf::describe(std::make_exception_ptr("a literal")) == "a literal");
    REQUIRE_THAT(agdf::describe(std::make_exception_ptr(42)), ContainsSubstring("not a std::exception"));
    REQUIRE(agdf::describe(nullptr) == "no error");
}
