#include "output_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace brewery {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int error, const fs::path& path)
{
    throw std::system_error(error, std::generic_category(), fmt::format("cannot write '{}'", path.string()));
}

// Renaming over a device such as /dev/null would replace it; over a symbolic link, would replace the link.
fs::path resolve(fs::path target)
{
    std::error_code ignored;  // what cannot be looked at cannot be created either, and says so then
    if (fs::is_symlink(target, ignored))
        target = fs::weakly_canonical(target, ignored);
    if (fs::exists(target, ignored) && !fs::is_regular_file(target, ignored)) {
        throw std::runtime_error(
            fmt::format("cannot write '{}': it is not a regular file. Expected: the name of a file", target.string()));
    }
    return target;
}

// Random, so that two runs into the same file never write into the same partial one.
fs::path name_beside(const fs::path& target)
{
    std::random_device random;
    return fs::path(target).concat(fmt::format(".{:08x}.partial", random()));
}

}  // namespace

OutputFile::OutputFile(fs::path target) : target_(resolve(std::move(target))), partial_(name_beside(target_))
{
    file_.reset(std::fopen(partial_.string().c_str(), "wbx"));
    if (!file_)
        fail(errno, target_);
}

OutputFile::~OutputFile()
{
    file_.reset();
    std::error_code ignored;  // nobody is left to tell, and a published file has another name
    if (!partial_.empty())
        fs::remove(partial_, ignored);
}

void OutputFile::write(std::string_view text)
{
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size())
        fail(errno, target_);
}

void OutputFile::publish()
{
    if (std::fflush(file_.get()) != 0)
        fail(errno, target_);
#if defined(__unix__) || defined(__APPLE__)
    // Otherwise a power cut may leave the new name with the old disk blocks.
    if (::fsync(::fileno(file_.get())) != 0)
        fail(errno, target_);
#endif
    if (std::fclose(file_.release()) != 0)
        fail(errno, target_);
    std::error_code error;
    fs::rename(partial_, target_, error);
    if (error)
        fail(error.value(), target_);
    partial_.clear();
}

}  // namespace brewery
