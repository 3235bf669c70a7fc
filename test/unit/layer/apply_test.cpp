#include "layer/apply.hpp"

#include <doctest/doctest.h>
