// SPDX-License-Identifier: Apache-2.0
#include "support/test_bus.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace cmk::test {

namespace fs = std::filesystem;

namespace {

constexpr char kConfig[] = R"(<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=DIRECTORY/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
)";

/// Writes the configuration into the bus's directory; returns its path.
std::string write_config(const std::string& dir) {
    std::string text = kConfig;
    const std::string place = "DIRECTORY";
    text.replace(text.find(place), place.size(), dir);
    const std::string path = dir + "/bus.conf";
    std::ofstream(path) << text;
    return path;
}

}  // namespace

BusHandle connect_to_bus(const std::string& address) {
    sd_bus* bus = nullptr;
    ::sd_bus_new(&bus);
    ::sd_bus_set_address(bus, address.c_str());
    ::sd_bus_set_bus_client(bus, 1);
    ::sd_bus_start(bus);
    return BusHandle(bus);
}

TestBus::TestBus() : dir_(fs::temp_directory_path() / "cmk-test-XXXXXX") {
    if (::mkdtemp(dir_.data()) == nullptr) return;
    ::chmod(dir_.c_str(), 0755);  // other users reach the socket
    daemon_ = std::make_unique<Command>(
        std::vector<std::string>{"dbus-daemon", "--config-file=" + write_config(dir_), "--nofork",
                                 "--nopidfile", "--print-address=1"});
    if (daemon_->wait_for_output("\n")) address_ = daemon_->output();
    if (!address_.empty()) address_.pop_back();
}

TestBus::~TestBus() {
    daemon_.reset();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
}

}  // namespace cmk::test
