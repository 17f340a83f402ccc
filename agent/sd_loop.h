// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-event.h>

#include <map>
#include <memory>

#include "agent/loop.h"
#include "base/handle.h"

namespace cmk {

using EventHandle = Handle<sd_event, sd_event_unref>;
using SourceHandle = Handle<sd_event_source, sd_event_source_disable_unref>;

/// Loop on sd-event. The event object must outlive it.
class SdLoop final : public Loop {
public:
    explicit SdLoop(sd_event* event) : event_(event) {}

    Status watch_exit(const std::string& key, UniqueFd pidfd,
                      std::function<void()> on_exit) override;
    Status set_timer(const std::string& key, std::uint64_t delay_ms,
                     std::function<void()> on_time) override;
    Status watch_change(const std::string& key, UniqueFd file,
                        std::function<void()> on_change) override;
    void forget(const std::string& key) override;

private:
    /// Heap-allocated, so that the address given to sd-event stays.
    struct Watch {
        SdLoop* loop = nullptr;
        std::string key = {};
        UniqueFd fd = {};
        std::function<void()> callback = {};
        SourceHandle source = {};
    };
    using Watches = std::map<std::string, std::unique_ptr<Watch>>;

    static int on_pidfd(sd_event_source*, int, uint32_t, void* userdata) noexcept;
    static int on_change(sd_event_source*, int fd, uint32_t, void* userdata) noexcept;
    static int on_timer(sd_event_source*, uint64_t, void* userdata) noexcept;
    static void fire(Watches& watches, const std::string& key) noexcept;

    sd_event* event_;
    Watches exits_;
    Watches timers_;
    Watches changes_;
};

}  // namespace cmk
