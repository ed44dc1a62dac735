#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace brewery {

/// A file that appears under its name only when it is complete. It is written beside the target, under a name of
/// its own that ends in ".partial", and renamed by `publish()`; without that the destructor removes it, and
/// whatever had the name before is still there.
///
/// Errors:         throw std::system_error with the path and the system's reason; nothing is published then.
/// Thread-safety:  one thread at a time.
class OutputFile {
public:
    /// Creates the file beside `target`, so that a path that cannot be written is known before any work is done.
    explicit OutputFile(std::filesystem::path target);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::string_view text);

    /// Brings everything to the disk and gives it the target's name, in one step for whoever looks.
    void publish();

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::filesystem::path target_;
    std::filesystem::path partial_;
    std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace brewery
