#pragma once

// Floor 1: how an error is told to a person.

#include <agdf/error.hpp>

namespace agdf {

AGDF_DECL std::string describe(const std::exception_ptr& error)
{
    if (!error)
        return "no error";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& exception) {
        return exception.what();
    } catch (const std::string& text) {
        return text;
    } catch (const char* text) {
        return text;
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

}  // namespace agdf
