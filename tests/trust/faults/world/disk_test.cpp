// A disk that becomes full under the output file of the brewery example. With the right to mount, it is a small tmpfs in a
// mount namespace of its own; everywhere, it is a limit of the size of files, which fails in the same calls.

#include "support.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace faults;
using Catch::Matchers::ContainsSubstring;

namespace {

namespace fs = std::filesystem;

Tried tried{"full disks"};

const std::string old_text = "what was there before\n";
constexpr int cannot_mount = 99;

class Folder {
public:
    Folder()
    {
        std::string name = (fs::temp_directory_path() / "agdf_faults_XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

private:
    fs::path path_;
};

std::string text_of(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

struct Result {
    int exit_code = -1;
    std::string said;
};

/// Runs the brewery in a process that `prepare` has set up; what it says goes to `log`.
template <class Prepare>
Result run_brewery(const fs::path& out, const fs::path& log, Prepare prepare)
{
    const pid_t child = fork();
    if (child == 0) {
        const int to = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        const int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, 1);
        dup2(to, 2);
        prepare();
        execl(AGDF_FAULTS_BREWERY, "brewery", "--out", out.c_str(), "--country", "South Korea", static_cast<char*>(nullptr));
        _exit(98);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status), text_of(log)};
}

/// The size of the whole file.
std::size_t whole_size()
{
    static const std::size_t size = [] {
        const Folder folder;
        const fs::path out = folder.path() / "out.csv";
        const Result result = run_brewery(out, folder.path() / "log", [] {});
        REQUIRE(result.exit_code == 0);
        return static_cast<std::size_t>(fs::file_size(out));
    }();
    return size;
}

void check_untouched(const fs::path& folder)
{
    CHECK(text_of(folder / "out.csv") == old_text);
    CHECK(std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}) == 1);
}

}  // namespace

TEST_CASE("an output file that may not grow is an error, and the one before stays", "[faults][disk]")
{
    const std::size_t whole = whole_size();
    REQUIRE(whole > 10'000);
    const std::size_t limit = GENERATE_COPY(std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{4'095}, std::size_t{4'096},
                                            std::size_t{4'097}, whole / 2, whole - 4'096, whole - 1);
    CAPTURE(limit, whole);
    const Folder folder, logs;
    std::ofstream{folder.path() / "out.csv"} << old_text;
    const Result result = run_brewery(folder.path() / "out.csv", logs.path() / "log", [limit] {
        const rlimit tight{limit, limit};
        setrlimit(RLIMIT_FSIZE, &tight);
        // Its own log is a file as well, and must go on: through a pipe to nobody it would be lost.
    });
    CHECK(result.exit_code == 1);
    if (limit > 1'000)
        CHECK_THAT(result.said, ContainsSubstring("cannot write '" + (folder.path() / "out.csv").string() + "': File too large"));
    check_untouched(folder.path());
    tried();
}

TEST_CASE("an output file that just fits is whole", "[faults][disk]")
{
    const std::size_t whole = whole_size();
    const Folder folder, logs;
    std::ofstream{folder.path() / "out.csv"} << old_text;
    const Result result = run_brewery(folder.path() / "out.csv", logs.path() / "log", [whole] {
        const rlimit tight{whole, whole};
        setrlimit(RLIMIT_FSIZE, &tight);
    });
    CHECK(result.exit_code == 0);
    CHECK(fs::file_size(folder.path() / "out.csv") == whole);
}

TEST_CASE("a disk that becomes full is an error, and the file before stays", "[faults][disk]")
{
    const std::size_t pages = (whole_size() + 4'095) / 4'096;
    const std::size_t free_pages = GENERATE_COPY(std::size_t{0}, std::size_t{1}, std::size_t{2}, pages / 2, pages - 1, pages);
    CAPTURE(free_pages, pages);
    const Folder folder, logs;
    const fs::path out = folder.path() / "out.csv";
    const fs::path seen = logs.path() / "seen";  // what the folder looks like from inside of the namespace
    const std::string options = "size=" + std::to_string((free_pages + 2) * 4'096);
    const pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            mount("tmpfs", folder.path().c_str(), "tmpfs", 0, options.c_str()) != 0)
            _exit(cannot_mount);
        std::ofstream{out} << old_text;
        std::ofstream{folder.path() / "ballast"} << std::string(4'096, 'x');  // so that nothing is left but the free pages
        const Result result = run_brewery(out, logs.path() / "log", [] {});
        std::ofstream{seen} << std::distance(fs::directory_iterator{folder.path()}, fs::directory_iterator{}) << ' ' << fs::file_size(out) << ' '
                            << (text_of(out) == old_text ? "old" : "new");
        _exit(result.exit_code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == cannot_mount) {
        WARN("a file system cannot be mounted here: only the limit of the size of files was tried");
        return;
    }
    if (free_pages == pages) {
        CHECK(WEXITSTATUS(status) == 0);
        CHECK(text_of(seen) == "2 " + std::to_string(whole_size()) + " new");
    } else {
        CHECK(WEXITSTATUS(status) == 1);
        CHECK_THAT(text_of(logs.path() / "log"), ContainsSubstring("cannot write '" + out.string() + "': No space left on device"));
        CHECK(text_of(seen) == "2 " + std::to_string(old_text.size()) + " old");
    }
    tried();
}
