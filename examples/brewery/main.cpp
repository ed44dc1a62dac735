// Pulls breweries from the Open Brewery DB API, page by page, and writes them to a CSV file.

#include "options.hpp"
#include "run.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>

int main(int argc, char** argv)
{
    // Both would end the program where it is; ignored, they are errors of the function that wrote.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        const std::optional<brewery::Options> options = brewery::parse_options(argc, argv);
        return options ? brewery::run(*options, stdout, stderr) : 0;
    } catch (const std::exception& error) {
        std::fputs(fmt::format("brewery: {}\n", error.what()).c_str(), stderr);
        return 1;
    }
}
