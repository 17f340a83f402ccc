// SPDX-License-Identifier: Apache-2.0
#include "agent/service.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdio>

#include "agent/cgroups_affinity.h"
#include "agent/cgroups_local.h"
#include "agent/holder.h"
#include "agent/message_ids.h"
#include "base/file_io.h"
#include "base/text.h"
#include "hw/kernel_work.h"
#include "hw/topology_source.h"

namespace cmk {

namespace {

/// In the directory that [compat] names.
constexpr char kSocketName[] = "/agent.sock";

std::int64_t seconds_now() {
    return static_cast<std::int64_t>(::time(nullptr));
}

/// None where the kernel does not tell.
CpuSet online_cpus() {
    const auto text = read_file_at(AT_FDCWD, "/sys/devices/system/cpu/online");
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : CpuSet{};
}

/// Eight hexadecimal digits: short enough to type, and the ledger refuses a repeated one.
std::string random_lease_id() {
    std::uint32_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
        number = static_cast<std::uint32_t>(::time(nullptr));
    }
    char text[16];
    std::snprintf(text, sizeof text, "%08x", number);
    return text;
}

/// One pidfd a lease and one descriptor a connection need more than the usual 1024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// A bad configuration does not leave running leases without an agent: the one last in force holds
/// until it is mended. After a downgrade both may have what only the later version knows.
Result<Config> read_config(const Options& options, const StateStore& store,
                           std::vector<std::string>& problems) {
    auto config = ConfigSource(options.config).read();
    const auto last = store.config();
    if (config || !last) return config;
    CMK_TRY_ASSIGN(Config kept, parse_config({{"config.toml", *last}}, Unknown::ignored));
    problems.push_back("the configuration is not in force: " + config.error().message +
                       "; the earlier one stays until systemctl reload cmk-agent takes it");
    return kept;
}

Result<HostReport> read_host() {
    HostReport host{.version = CMK_VERSION};
    CMK_TRY_ASSIGN(host.topology, load_topology({}));
    const auto cmdline = read_file_at(AT_FDCWD, "/proc/cmdline");
    const unsigned last = host.topology.records().back().cpu;
    CMK_TRY_ASSIGN(host.isolated, load_isolated("", cmdline ? *cmdline : "", last));
    return host;
}

/// As a service, on v2, leases live in a unit that systemd has delegated; kernels without remote
/// partitions have a second one for local partitions.
Result<std::unique_ptr<Cgroups>> open_groups(const CpusetMount& mount, const Config& config,
                                             bool is_service) {
    const bool delegated = is_service && mount.version == CpusetMount::Version::v2;
    const Home home{.path = delegated ? kHolderUnit : config.cgroup_name, .delegated = delegated};
    const auto units = delegated ? std::make_shared<SystemdUnitsBus>() : nullptr;
    CMK_TRY_ASSIGN(auto kernel, CgroupsKernel::open(mount, home, units));
    if (!delegated || kernel->abilities().remote_partitions) {
        return std::unique_ptr<Cgroups>(std::move(kernel));
    }
    CMK_TRY_ASSIGN(auto local,
                   CgroupsLocal::open(mount, std::move(kernel),
                                      {.path = kPartitionUnit, .delegated = true}, units));
    return std::unique_ptr<Cgroups>(std::move(local));
}

void warn_of_affinity(const Log& log, const std::string& why) {
    log.warning("leases are held by affinity only (grade D): " + why,
                {{"MESSAGE_ID", message_id::kAffinityOnly}});
}

Result<std::unique_ptr<Cgroups>> open_cgroups(const Config& config, bool is_service,
                                              const Log& log) {
    CMK_TRY_ASSIGN(const CpusetMount mount, find_cpuset_mount(config.backend));
    if (mount.version != CpusetMount::Version::none) {
        auto groups = open_groups(mount, config, is_service);
        if (groups) return groups;
        const bool only_here =
            config.backend == CgroupBackend::automatic && groups.error().code == Errc::io;
        if (!only_here) return groups.error();
        warn_of_affinity(log, groups.error().message);
    } else {
        warn_of_affinity(log, mount.why);
    }
    return std::unique_ptr<Cgroups>(std::make_unique<CgroupsAffinity>());
}

}  // namespace

Service::Service(const Options& options, Config config, EventHandle event, StateStore store,
                 std::unique_ptr<Cgroups> cgroups, HostReport host, PassedFds passed)
    : source_(options.config),
      log_(config.log_level),
      event_(std::move(event)),
      loop_(event_.get()),
      store_(std::move(store)),
      passed_(std::move(passed)),
      fd_store_(std::move(passed_.pidfds)),
      cgroups_(std::move(cgroups)),
      manager_(manager_ports(), std::move(host), std::move(config)),
      notifier_(loop_, [this] { return status(); }),
      varlink_(manager_, processes_),
      server_(
          {event_.get(), processes_, *cgroups_, log_}, manager_.config().limits,
          [this](VarlinkConnection& connection, const std::string& message,
                 std::vector<UniqueFd> fds) {
              varlink_.handle(connection, message, std::move(fds));
          },
          [this](VarlinkConnection& connection) { varlink_.closing(connection); }) {}

Manager::Ports Service::manager_ports() {
    return {.cgroups = *cgroups_,
            .processes = processes_,
            .loop = loop_,
            .store = store_,
            .fd_store = fd_store_,
            .log = log_,
            .now = seconds_now,
            .online = online_cpus,
            .quiet = [](const CpuSet& cpus) { return quiet_of(cpus); },
            .kubelet = [] { return read_kubelet(); },
            .new_lease_id = random_lease_id,
            .read_config = [this] { return source_.read(); },
            .write_dropin =
                [this](const std::vector<PoolSpec>& pools, const std::string& compat_dir) {
                    return source_.write_dropin(pools, compat_dir);
                },
            .offer_socket = [this](const std::string& dir) { return offer_socket(dir); }};
}

Result<std::unique_ptr<Service>> Service::start(const Options& options) {
    PassedFds passed = take_passed_fds();
    raise_descriptor_limit();
    sd_event* event = nullptr;
    if (const int error = ::sd_event_default(&event); error < 0) {
        return errno_error(-error, "cannot make an event loop");
    }
    EventHandle loop(event);
    ::sd_event_set_watchdog(event, 1);
    CMK_TRY_ASSIGN(StateStore store, StateStore::open(options.state_dir));
    CMK_TRY_ASSIGN(HostReport host, read_host());
    CMK_TRY_ASSIGN(Config config, read_config(options, store, host.problems));
    CMK_TRY_ASSIGN(auto cgroups, open_cgroups(config, !options.foreground, Log(config.log_level)));
    host.mechanism = cgroups->mechanism();
    std::unique_ptr<Service> service(new Service(options, std::move(config), std::move(loop),
                                                 std::move(store), std::move(cgroups),
                                                 std::move(host), std::move(passed)));
    CMK_TRY(service->serve(options));
    return service;
}

Status Service::serve(const Options& options) {
    CMK_TRY(add_signals());
    CMK_TRY_ASSIGN(const std::string boot_id,
                   read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id"));
    CMK_TRY(manager_.start(std::string(trim(boot_id))));
    varlink_.serve_on(server_);
    CMK_TRY(listen(options));
    if (const Status offered = offer_socket(manager_.config().compat_dir); !offered) {
        log_.error("no socket in " + manager_.config().compat_dir + ": " + offered.error().message);
    }
    if (options.bus != "none") {
        CMK_TRY_ASSIGN(dbus_,
                       DbusApi::open(options.bus, manager_, processes_, *cgroups_, event_.get()));
    }
    if (passed_.uevent) {
        CMK_TRY_ASSIGN(uevents_, Uevents::watch(std::move(passed_.uevent), event_.get(),
                                                [this] { manager_.machine_changed(); }));
    }
    watch_kubelet();
    manager_.listen([this](const Event&) { notifier_.changed(); });
    announce(options);
    return {};
}

/// Where kubelet comes later, its state is still read whenever somebody asks.
void Service::watch_kubelet() {
    auto watch =
        KubeletWatch::start(kKubeletDir, event_.get(), [this] { manager_.kubelet_changed(); });
    if (watch) {
        kubelet_ = *std::move(watch);
        manager_.kubelet_changed();
    } else if (watch.error().sys_errno != ENOENT) {
        log_.warning(watch.error().message);
    }
}

/// On the sockets that systemd holds, so that requests wait there while no agent runs; else on one
/// of its own.
Status Service::listen(const Options& options) {
    if (passed_.listeners.empty()) return server_.listen(options.socket);
    for (auto& [role, socket] : passed_.listeners)
        CMK_TRY(server_.listen_on(std::move(socket), role));
    return {};
}

/// The socket outlives the agent, so that requests wait on it as on those of systemd.
Status Service::offer_socket(const std::string& dir) {
    if (dir == offered_dir_) return {};
    offered_dir_ = dir;
    if (!dir.empty()) CMK_TRY(make_dir_at(AT_FDCWD, dir, 0755));
    CMK_TRY_ASSIGN(const int fd,
                   server_.offer(dir.empty() ? "" : dir + kSocketName, std::move(passed_.compat)));
    fd_store_.remove(kCompatSocket);
    if (fd >= 0) fd_store_.put(kCompatSocket, fd);
    return {};
}

std::string Service::status() const {
    return counted(static_cast<unsigned>(manager_.list_pools().size()), "pool", "pools") + ", " +
           counted(manager_.lease_count(), "lease", "leases");
}

void Service::reload() {
    notifier_.reloading();
    manager_.reload_on_signal();
    notifier_.ready();
}

Status Service::add_signals() {
    // Blocked before the sources are made, as signalfd needs; nothing of ours starts programs.
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        ::sigaddset(&signals, number);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    for (const int number : {SIGTERM, SIGINT}) {
        const int error = ::sd_event_add_signal(event_.get(), nullptr, number, nullptr, nullptr);
        if (error < 0) return errno_error(-error, "cannot handle signals");
    }
    sd_event_source* source = nullptr;
    const int error = ::sd_event_add_signal(
        event_.get(), &source, SIGHUP,
        [](sd_event_source*, const signalfd_siginfo*, void* userdata) noexcept {
            static_cast<Service*>(userdata)->reload();
            return 0;
        },
        this);
    if (error < 0) return errno_error(-error, "cannot handle SIGHUP");
    hangup_.reset(source);
    return {};
}

void Service::announce(const Options& options) {
    log_.info("ready", {{"MESSAGE_ID", message_id::kAgentReady},
                        {"CMK_SOCKET", passed_.listeners.empty() ? options.socket : "systemd's"},
                        {"CMK_MECHANISM", manager_.host().mechanism},
                        {"CMK_VERSION", CMK_VERSION}});
    notifier_.ready();
    if (options.ready_fd < 0) return;
    UniqueFd fd(options.ready_fd);
    (void)!::write(fd.get(), "READY=1\n", 8);
}

Status Service::run() {
    const int error = ::sd_event_loop(event_.get());
    notifier_.stopping();
    manager_.stop_waiting();
    server_.stop();
    if (error < 0) return errno_error(-error, "the event loop failed");
    log_.info("ending; leases stay as they are", {{"MESSAGE_ID", message_id::kAgentEnding}});
    return {};
}

}  // namespace cmk
