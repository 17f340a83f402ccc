// SPDX-License-Identifier: Apache-2.0
#include "k8s/wall_time.h"

#include <cstdio>
#include <ctime>

namespace cmk::k8s {

namespace {

using std::chrono::floor;
using std::chrono::seconds;

/// "2026-11-23T18:04:31"
std::string to_the_second(WallTime wall) {
    const std::time_t whole = floor<seconds>(wall).time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts));
}

}  // namespace

WallTime wall_now() {
    return floor<WallTime::duration>(std::chrono::system_clock::now());
}

std::string rfc3339(WallTime wall) {
    return to_the_second(wall) + "Z";
}

std::string rfc3339_micro(WallTime wall) {
    char part[16];
    const auto micros = static_cast<unsigned>((wall - floor<seconds>(wall)).count());
    std::snprintf(part, sizeof part, ".%06uZ", micros);
    return to_the_second(wall) + part;
}

}  // namespace cmk::k8s
