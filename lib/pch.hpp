// What nearly every source file includes, compiled once a library. Sources include what they use all the same:
// the build works without it (-Db_pch=false).
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>
