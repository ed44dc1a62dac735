#include "brewery/output_file.hpp"
#include "support/catch.hpp"
#include "temporary_folder.hpp"

#include <filesystem>

using brewery::OutputFile;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("an output file has its name only once it is published", "[brewery][output_file]")
{
    const TemporaryFolder folder;
    {
        OutputFile file(folder.path("out.csv"));
        file.write("new");
        CHECK(!std::filesystem::exists(folder.path("out.csv")));
        file.publish();
        CHECK(folder.read("out.csv") == "new");
    }
    CHECK(folder.read("out.csv") == "new");
    CHECK(folder.count() == 1);
}

TEST_CASE("an output file that is not published leaves the old one and nothing else", "[brewery][output_file]")
{
    const TemporaryFolder folder;
    folder.file("out.csv", "old");
    {
        OutputFile file(folder.path("out.csv"));
        file.write("new");
    }
    CHECK(folder.read("out.csv") == "old");
    CHECK(folder.count() == 1);
}

TEST_CASE("two output files of the same name do not mix", "[brewery][output_file]")
{
    const TemporaryFolder folder;
    OutputFile first(folder.path("out.csv"));
    OutputFile second(folder.path("out.csv"));
    first.write("first");
    second.write("second");
    second.publish();
    first.publish();
    CHECK(folder.read("out.csv") == "first");
}

TEST_CASE("an output file behind a symbolic link is replaced, not the link", "[brewery][output_file]")
{
    const TemporaryFolder folder;
    folder.file("real.csv", "old");
    std::filesystem::create_symlink("real.csv", folder.path("link.csv"));
    {
        OutputFile file(folder.path("link.csv"));
        file.write("new");
        file.publish();
    }
    CHECK(std::filesystem::is_symlink(folder.path("link.csv")));
    CHECK(folder.read("real.csv") == "new");
}

TEST_CASE("a path that cannot be written is refused at once", "[brewery][output_file]")
{
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(OutputFile(folder.path("none/out.csv")), ContainsSubstring("No such file or directory"));
    CHECK_THROWS_WITH(OutputFile(folder.path()), ContainsSubstring("not a regular file"));
    CHECK_THROWS_WITH(OutputFile("/dev/null"), ContainsSubstring("not a regular file"));
    CHECK(folder.count() == 0);
}
