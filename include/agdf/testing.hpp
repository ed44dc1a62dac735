#pragma once

// Everything for testing programs that use agdf; agdf.hpp does not include it.

#include <agdf/testing/faults.hpp>
#include <agdf/testing/faulty.hpp>
#include <agdf/testing/probe.hpp>
#include <agdf/testing/virtual_time.hpp>
