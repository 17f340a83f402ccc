# SPDX-License-Identifier: Apache-2.0
"""The container image: the manual's pods run from it, by podman, as kubelet would run them."""

import functools
import json
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from cmk import PAYLOAD, Held, expected_grade, leases, pools, serve
from compat import cmk, offer
from framework import deadline
from machine import (
    Outcome,
    allowed,
    boot_isolated,
    check,
    cpus_of,
    eventually,
    has,
    has_remote_partitions,
    must,
    read,
    run,
    same,
)

NODE = Path("/var/lib/cmk-tests/node")  # what the pods mount of a node without an agent
CONF = "--conf-dir=/etc/cmk"
BY_INFRA = "/cmk/cmk.py isolate --pool=infra /cmk/cmk.py --"  # as the original's DaemonSets do
# As the original's templates mount them, each with what it is on the host.
DIRECTORY = {"/etc/cmk": f"{NODE}/conf", "/opt/bin": f"{NODE}/bin", "/host/proc": "/proc:ro"}
AGENT = DIRECTORY | {"/etc/cmk": "/etc/cmk"}
PLAIN = ("--network=none", "--read-only", "--security-opt=no-new-privileges")
NONROOT = ("--user=65532:65532", "--cap-drop=ALL", *PLAIN)
SERVING = tuple(each.replace("none", "host") for each in NONROOT)


def archive() -> Path:
    (found,) = (PAYLOAD / "container").glob("*.oci.tar")
    return found


@functools.cache
def image() -> str:
    """Loaded, under the name that manifests have."""
    name = f"cmk:v{must('cmkctl', '--version').split()[1]}"
    has(must("podman", "load", "-i", archive(), seconds=180), f"docker.io/library/{name}")
    return name


def podman(*options: str, mounts: dict[str, str], name: str = "") -> list[str]:
    """The words up to the image's name."""
    volumes = [f"--volume={source.replace(':', f':{target}:', 1)}" if ":" in source
               else f"--volume={source}:{target}" for target, source in mounts.items()]  # fmt: skip
    how = ["--detach", f"--name={name}"] if name else ["--rm"]
    return ["podman", "run", "--pull=never", *how, *options, *volumes, image()]


def pod(line: str, mounts: dict[str, str], *options: str, name: str = "") -> Outcome:
    """One of the manual's: what it does is an argument of the image's bash."""
    command = podman(*PLAIN, "--env=CMK_PROC_FS=/host/proc", *options, mounts=mounts, name=name)
    return run(*command, "/bin/bash", "-c", line, seconds=120)


def must_pod(line: str, mounts: dict[str, str], *options: str) -> str:
    done = pod(line, mounts, *options)
    same(done.code, 0, f"exit status of {line!r} ({done.text()})")
    return done.out


def only(mounts: dict[str, str], *targets: str) -> dict[str, str]:
    return {target: mounts[target] for target in targets}


def remove(name: str) -> None:
    must("podman", "rm", "--force", "--time=1", name, seconds=120)


def tasks_in(description: dict[str, Any], pool: str) -> dict[int, str]:
    """Processes that are in a pool, with their CPUs."""
    lists = description["pools"][pool]["cpuLists"].values()
    return {task: each["cpus"] for each in lists for task in each["tasks"]}


def tasks(pool: str) -> dict[int, str]:
    """Those of the node's directory."""
    return tasks_in(json.loads(must("cmk", "describe", f"--conf-dir={NODE}/conf")), pool)


def shared_cores() -> int:
    """Where cores are isolated at boot, the counted pools have no others."""
    return 0 if boot_isolated() else 1


def say_hello(mounts: dict[str, str]) -> None:
    """The three containers of the Hello World pod."""
    for pool in ("exclusive", "infra") if boot_isolated() else ("exclusive", "shared", "infra"):
        words = f"Hello World {pool.capitalize()}!!!"
        line = f"/opt/bin/cmk isolate {CONF} --pool={pool} echo -- {words}"
        same(must_pod(line, mounts).strip(), words, pool)


def without_agent() -> None:
    """The cores are nobody else's: the agent gives up its pools."""
    offer()
    same(cmk("uninstall", "--install-dir=/tmp/none").code, 0, "uninstall by the agent")
    same(pools(), {}, "pools")
    shutil.rmtree(NODE, ignore_errors=True)
    for name in ("conf", "bin"):
        (NODE / name).mkdir(parents=True)


# ---- the image ----------------------------------------------------------------------------------


def test_every_program_runs_as_another_user_than_root() -> None:
    serve()
    version = image().removeprefix("cmk:v")
    script = "cmk-k8s --version; cmkctl --version; /cmk/cmk.py --version; id -u; exec sleep 0"
    done = run(*podman(*NONROOT, mounts={}), "sh", "-c", script, seconds=120)
    wanted = [version, f"cmkctl {version}", f"CMK v{version}", "65532"]
    same(done.out.splitlines(), wanted, f"output ({done.err})")


# ---- the manual, on a node without an agent -----------------------------------------------------


@deadline(600)
def test_the_manuals_pods_on_a_directory() -> None:
    without_agent()
    try:
        prepare_node()
        say_hello(DIRECTORY)
        hold_cores()
        take_node_out()
    finally:
        run("podman", "rm", "--force", "--all", "--time=1", seconds=120)
        serve()


def prepare_node() -> None:
    counts = "--num-exclusive-cores=$NUM_EXCLUSIVE_CORES --num-shared-cores=$NUM_SHARED_CORES"
    cores = {"NUM_EXCLUSIVE_CORES": 2, "NUM_SHARED_CORES": shared_cores()}
    environment = {"CMK_PROC_FS": "/proc", **cores}
    options = [f"--env={name}={value}" for name, value in environment.items()]
    must_pod(f"/cmk/cmk.py init {CONF} {counts}", only(DIRECTORY, "/etc/cmk"), *options)
    must_pod("/cmk/cmk.py install --install-dir=/opt/bin", only(DIRECTORY, "/opt/bin"))
    same(must(NODE / "bin/cmk", "--version").strip(), image().replace("cmk:", "CMK "), "installed")
    described = must_pod(f"/cmk/cmk.py describe {CONF}", only(DIRECTORY, "/etc/cmk"))
    found = {name: len(pool["cpuLists"]) for name, pool in json.loads(described)["pools"].items()}
    same((found["exclusive"], found["shared"]), (2, shared_cores()), "CPU lists of the pools")


def hold_cores() -> None:
    """The manual's pod for validating: its program is in the pool, and in the report."""
    line = f"/opt/bin/cmk isolate {CONF} --pool=exclusive sleep -- 10000"
    name = "cmk-isolate-exclusive"
    same(pod(line, DIRECTORY, name=name).code, 0, "exit status")
    eventually(lambda: tasks("exclusive"), lambda: f"its task: {run('podman', 'logs', name).text()}")
    ((task, cpus),) = tasks("exclusive").items()
    (program,) = read(f"/proc/{task}/task/{task}/children").split()
    same(allowed(int(program)), cpus_of(cpus), "where its program may run")
    printed = must_pod(f"{BY_INFRA} node-report", only(DIRECTORY, "/etc/cmk", "/host/proc"))
    report = json.loads(printed)
    check(report["checks"]["configDirectory"]["ok"], f"node-report: {report['checks']}")
    lists = report["description"]["pools"]["exclusive"]["cpuLists"].values()
    check([task] in [each["tasks"] for each in lists], f"node-report has the task: {lists}")
    refused = pod(f"/cmk/cmk.py uninstall {CONF}", DIRECTORY)
    check(refused.code == 1 and str(task) in refused.err, f"uninstall is refused: {refused.text()}")
    must("podman", "kill", "--signal=KILL", name)  # asked to end, it would tidy up after itself
    line = f"{BY_INFRA} reconcile --interval=$CMK_RECONCILE_SLEEP_TIME"
    once = "--env=CMK_RECONCILE_SLEEP_TIME=0"
    printed = must_pod(line, only(DIRECTORY, "/etc/cmk", "/host/proc"), once)
    same([each["pid"] for each in json.loads(printed)["reclaimedCpuLists"]], [task], "reclaimed")


def take_node_out() -> None:
    for line in ("/cmk/cmk.py discover", f"{BY_INFRA} node-report --publish"):
        done = pod(line, DIRECTORY, "--env=NODE_NAME=node1")
        check(done.code != 0, f"{line} without a cluster fails")
        has(done.err, "cmk-k8s:", "kubeconfig")
    must_pod("/cmk/cmk.py uninstall", DIRECTORY)
    left = [str(path) for name in ("conf", "bin") for path in (NODE / name).iterdir()]
    same(left, [], "left of the node's directories")


# ---- the same pods where the agent serves -------------------------------------------------------


@deadline(600)
def test_the_manuals_pods_by_the_agent() -> None:
    offer()
    (NODE / "bin").mkdir(parents=True, exist_ok=True)
    must_pod("/cmk/cmk.py install --install-dir=/opt/bin", only(AGENT, "/opt/bin"))
    say_hello(AGENT)
    eventually(lambda: not leases(), "their leases end")
    name = "cmk-isolate-exclusive"
    line = f"/opt/bin/cmk isolate {CONF} --pool=exclusive sleep -- 10000"
    same(pod(line, AGENT, name=name).code, 0, "exit status")
    try:
        eventually(lambda: leases(), lambda: f"its lease: {run('podman', 'logs', name).text()}")
        ((lease, facts),) = leases().items()
        grade = expected_grade(has_remote_partitions())
        same((facts["grade"], facts["place"], facts["container"]), (grade, "child", True), "lease")
        same(allowed(facts["pid"]), cpus_of(facts["cpus"]), "where it may run")
        observe = {"/run/cmk-observe": "/run/cmk-observe:ro"}
        words = ("cmkctl", "--socket=/run/cmk-observe/agent.sock", "leases")
        shown = run(*podman(*NONROOT, mounts=observe), *words, seconds=120)
        row = [line.split() for line in shown.out.splitlines() if lease in line]
        check(row and grade in row[0], f"cmkctl leases shows its grade: {shown.text()}")
    finally:
        remove(name)
    eventually(lambda: not leases(), "its lease ends")
    same(pools()["exclusive"]["free_cores"], pools()["exclusive"]["cores"], "free cores")


def test_cluster_inits_pods_find_the_agent() -> None:
    offer()
    mounts = AGENT | {"/run/cmk-admin": "/run/cmk-admin:ro"}
    counts = f"--num-exclusive-cores=2 --num-shared-cores={shared_cores()}"
    done = pod(f"/cmk/cmk.py init {counts} --exclusive-mode=packed", mounts)
    same(done.code, 0, f"exit status ({done.text()})")
    has(done.err, "already initialised")


def test_cluster_inits_daemons_see_all_that_they_report() -> None:
    offer()
    mounts = AGENT | {"/run/cmk-observe": "/run/cmk-observe:ro"}
    held = Held()
    report = json.loads(must_pod(f"{BY_INFRA} node-report", mounts))
    check(held.pid in tasks_in(report["description"], "exclusive"), f"it is in {report}")
    same(held.end(), 0, "exit status")
    done = json.loads(must_pod(f"{BY_INFRA} reconcile", mounts))
    same(done, {"reclaimedCpuLists": []}, "what is reconciled")


# ---- what runs for long, without root -----------------------------------------------------------


def fetch(url: str) -> tuple[int, str]:
    """Status and text; (0, what went wrong) where there is no answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError as problem:
        return 0, str(problem)


def must_answer(url: str, status: int, *parts: str) -> None:
    def answers() -> bool:
        code, text = fetch(url)
        return code == status and all(part in text for part in parts)

    eventually(answers, f"{url} answers {status} with {parts}")


def test_the_publisher_needs_no_root() -> None:
    serve()
    config = NODE / "kubeconfig"
    NODE.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }))  # fmt: skip
    mounts = {"/run/cmk-observe": "/run/cmk-observe:ro", "/kubeconfig": f"{config}:ro"}
    told = run(*podman(*NONROOT, mounts=mounts), "cmk-k8s", "kubelet-config", seconds=120)
    has(told.out, "reservedSystemCPUs")  # so it has been told of the pools
    name = "cmk-publisher"
    words = ("publish", "--kubeconfig=/kubeconfig", "--longest-start=0", "--listen=:9469")
    command = podman(*SERVING, mounts=mounts, name=name)
    must(*command, "cmk-k8s", *words, seconds=120)
    try:
        must_answer("http://127.0.0.1:9469/healthz", 200)
        # Which is as far as it gets without a cluster.
        must_answer("http://127.0.0.1:9469/readyz", 503, "server", "cannot connect")
    finally:
        remove(name)


def test_the_webhook_needs_no_root() -> None:
    certificates, settings = NODE / "certs", NODE / "webhook"
    for directory in (certificates, settings):
        directory.mkdir(parents=True, exist_ok=True)
    must("cmk-k8s", "webhook-certs", "--directory", certificates)
    (certificates / "key.pem").chmod(0o644)  # as files of a Secret are
    lines = ("server:", "  binding-address: 0.0.0.0", "  port: 8443", "  cert: /etc/ssl/cert.pem",
             "  key: /etc/ssl/key.pem", "  mutations: /etc/webhook/mutations.yaml")  # fmt: skip
    (settings / "server.yaml").write_text("\n".join(lines) + "\n")
    (settings / "mutations.yaml").write_text("mutations:\n  perPod: {}\n  perContainer: {}\n")
    mounts = {"/etc/webhook": f"{settings}:ro", "/etc/ssl": f"{certificates}:ro"}
    name = "cmk-webhook"
    command = podman(*SERVING, mounts=mounts, name=name)
    line = "/cmk/cmk.py webhook --conf-file /etc/webhook/server.yaml"
    must(*command, "/bin/bash", "-c", line, seconds=120)
    try:
        must_answer("https://127.0.0.1:8443/healthz", 200)
    finally:
        remove(name)
