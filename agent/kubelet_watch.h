// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-event.h>

#include <functional>
#include <memory>
#include <string>

#include "agent/sd_loop.h"
#include "base/result.h"
#include "ipc/kubelet.h"

namespace cmk {

/// What kubelet's CPU manager says in its directory; of policy "" where it says nothing that can be
/// read.
CpuManagerState read_kubelet(const std::string& directory = kKubeletDir);

/// Hears when kubelet writes that down.
class KubeletWatch {
public:
    /// Errors: io, with ENOENT where there is no kubelet.
    static Result<std::unique_ptr<KubeletWatch>> start(const std::string& directory,
                                                       sd_event* event,
                                                       std::function<void()> on_change);

private:
    explicit KubeletWatch(std::function<void()> on_change) : on_change_(std::move(on_change)) {}
    static int on_file(sd_event_source* source, const inotify_event* event,
                       void* userdata) noexcept;

    std::function<void()> on_change_;
    SourceHandle source_;
};

}  // namespace cmk
