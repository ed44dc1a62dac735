#pragma once

// The HTTP component: everything of it. Link agdf::http, which brings libcurl.

#include <agdf/http/client.hpp>
#include <agdf/http/error.hpp>
#include <agdf/http/headers.hpp>
#include <agdf/http/options.hpp>
#include <agdf/http/request.hpp>
#include <agdf/http/response.hpp>
