// SPDX-License-Identifier: Apache-2.0
#include "agent/sd_loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

namespace cmk {

namespace {

constexpr std::uint64_t kUsecPerMsec = 1000;

}  // namespace

Status SdLoop::watch_exit(const std::string& key, UniqueFd pidfd, std::function<void()> on_exit) {
    std::unique_ptr<Watch> watch(new Watch{
        .loop = this, .key = key, .fd = std::move(pidfd), .callback = std::move(on_exit)});
    sd_event_source* source = nullptr;
    const int error =
        ::sd_event_add_io(event_, &source, watch->fd.get(), EPOLLIN, on_pidfd, watch.get());
    if (error < 0) return errno_error(-error, "cannot watch a process");
    watch->source.reset(source);
    exits_[key] = std::move(watch);
    return {};
}

Status SdLoop::set_timer(const std::string& key, std::uint64_t delay_ms,
                         std::function<void()> on_time) {
    std::unique_ptr<Watch> watch(
        new Watch{.loop = this, .key = key, .callback = std::move(on_time)});
    sd_event_source* source = nullptr;
    const int error = ::sd_event_add_time_relative(
        event_, &source, CLOCK_MONOTONIC, delay_ms * kUsecPerMsec, 0, on_timer, watch.get());
    if (error < 0) return errno_error(-error, "cannot set a timer");
    watch->source.reset(source);
    timers_[key] = std::move(watch);
    return {};
}

Status SdLoop::watch_change(const std::string& key, UniqueFd file, std::function<void()> call) {
    std::unique_ptr<Watch> watch(
        new Watch{.loop = this, .key = key, .fd = std::move(file), .callback = std::move(call)});
    sd_event_source* source = nullptr;
    const int error =
        ::sd_event_add_io(event_, &source, watch->fd.get(), EPOLLPRI, on_change, watch.get());
    if (error < 0) return errno_error(-error, "cannot watch a control file");
    watch->source.reset(source);
    // The kernel announces what comes after a read.
    char text[64];
    (void)!::pread(watch->fd.get(), text, sizeof text, 0);
    changes_[key] = std::move(watch);
    return {};
}

void SdLoop::forget(const std::string& key) {
    exits_.erase(key);
    timers_.erase(key);
    changes_.erase(key);
}

void SdLoop::fire(Watches& watches, const std::string& key) noexcept {
    const auto at = watches.find(key);
    if (at == watches.end()) return;
    // The callback may watch under the same key again.
    const std::unique_ptr<Watch> watch = std::move(at->second);
    watches.erase(at);
    try {
        watch->callback();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "ERROR a callback of the event loop failed: %s\n", problem.what());
    }
}

int SdLoop::on_pidfd(sd_event_source*, int, uint32_t, void* userdata) noexcept {
    auto* watch = static_cast<Watch*>(userdata);
    fire(watch->loop->exits_, std::string(watch->key));
    return 0;
}

int SdLoop::on_change(sd_event_source*, int fd, uint32_t, void* userdata) noexcept {
    auto* watch = static_cast<Watch*>(userdata);
    char text[64];
    // A file that has gone would fire for ever.
    if (::pread(fd, text, sizeof text, 0) < 0) {
        fire(watch->loop->changes_, std::string(watch->key));
        return 0;
    }
    // The callback may forget this watch.
    const std::function<void()> callback = watch->callback;
    try {
        callback();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "ERROR a callback of the event loop failed: %s\n", problem.what());
    }
    return 0;
}

int SdLoop::on_timer(sd_event_source*, uint64_t, void* userdata) noexcept {
    auto* watch = static_cast<Watch*>(userdata);
    fire(watch->loop->timers_, std::string(watch->key));
    return 0;
}

}  // namespace cmk
