// SPDX-License-Identifier: Apache-2.0
#include "agent/notifier.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <cstdlib>

namespace cmk {

namespace {

constexpr std::uint64_t kStatusDelayMs = 1000;

std::string monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::to_string(static_cast<std::uint64_t>(now.tv_sec) * 1000000 +
                          static_cast<std::uint64_t>(now.tv_nsec) / 1000);
}

}  // namespace

Notifier::Notifier(Loop& loop, std::function<std::string()> status)
    : loop_(loop),
      status_(std::move(status)),
      supervised_(std::getenv("NOTIFY_SOCKET") != nullptr) {}

void Notifier::ready() {
    if (supervised_) ::sd_notify(0, ("READY=1\nSTATUS=" + status_()).c_str());
}

void Notifier::reloading() {
    ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + monotonic_us()).c_str());
}

void Notifier::stopping() {
    ::sd_notify(0, "STOPPING=1\nSTATUS=Ending; leases stay as they are.");
}

void Notifier::changed() {
    if (!supervised_ || pending_) return;
    pending_ = loop_.set_timer("status", kStatusDelayMs, [this] { tell_status(); }).has_value();
}

void Notifier::tell_status() {
    pending_ = false;
    ::sd_notify(0, ("STATUS=" + status_()).c_str());
}

}  // namespace cmk
