// SPDX-License-Identifier: Apache-2.0
#include "agent/kubelet_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include <cstdio>

#include "base/file_io.h"

namespace cmk {

CpuManagerState read_kubelet(const std::string& directory) {
    const auto text = read_file_at(AT_FDCWD, directory + "/" + kCpuManagerFile);
    auto state = text ? parse_cpu_manager_state(*text) : Result<CpuManagerState>(text.error());
    return state ? *std::move(state) : CpuManagerState{};
}

Result<std::unique_ptr<KubeletWatch>> KubeletWatch::start(const std::string& directory,
                                                          sd_event* event,
                                                          std::function<void()> on_change) {
    std::unique_ptr<KubeletWatch> made(new KubeletWatch(std::move(on_change)));
    sd_event_source* source = nullptr;
    const int error =
        ::sd_event_add_inotify(event, &source, directory.c_str(),
                               IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR, on_file, made.get());
    if (error < 0) return errno_error(-error, "cannot watch " + directory);
    made->source_.reset(source);
    return made;
}

int KubeletWatch::on_file(sd_event_source*, const inotify_event* event, void* userdata) noexcept {
    const bool is_overflow = (event->mask & IN_Q_OVERFLOW) != 0;
    if (!is_overflow && (event->len == 0 || std::string_view(event->name) != kCpuManagerFile)) {
        return 0;
    }
    try {
        static_cast<KubeletWatch*>(userdata)->on_change_();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "ERROR what kubelet does was not handled: %s\n", problem.what());
    }
    return 0;
}

}  // namespace cmk
