"""The units of deploy/ under a systemd that is booted for them, as process 1 of namespaces of its own: test_systemd.py MAYFLY
test_systemd.py --why-not says why it cannot be booted here (exit 0), or nothing (exit 1). docs/testing.md, The units, booted

Its root is an overlay of this machine's, its units are Debian's and ours, its network a loopback of its own, its control group
one below this process's. What it changes is in memory; all that it starts and mounts ends with the process that began it.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PATIENCE_S = 300  # for anything, on a machine that is very busy
SYSTEMD = "/lib/systemd/systemd"
NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--net", "--cgroup")

# OVERLAY FOLDER: a root of its own there, which takes what is written into memory.
OVERLAY = """set -euo pipefail
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1"/upper "$1"/under "$1"/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/under" "$1/root"
"""

# BOOT FOLDER MAYFLY DEPLOY: what systemd wants of a container, the program and deploy/, no units of this machine's own choice,
# nothing of the kernel that it could set for others, and process 1.
BOOT = OVERLAY + """cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for place in run dev; do mount -t tmpfs -o mode=755 tmpfs "$place"; done
mount -t tmpfs -o mode=1777 tmpfs tmp
for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ip link set lo up
rm -rf etc/systemd/system etc/mayfly var/lib/mayfly var/lib/private/mayfly var/log/journal
mkdir -p etc/systemd/system mayfly var/lib/prometheus/node-exporter
for unit in systemd-logind.service sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount dev-hugepages.mount \\
    modprobe@.service; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
rm -f etc/machine-id usr/bin/mayfly
tr -d - </proc/sys/kernel/random/uuid >etc/machine-id
cp "$2" usr/bin/mayfly
cp -r "$3" mayfly/deploy
mkdir outside
pivot_root . outside
umount -l /outside
exec env -i container=other PATH=/usr/sbin:/usr/bin """ + SYSTEMD + """ --unit=multi-user.target
"""


def control_group():
    """This process's folder in the one hierarchy of control groups that a systemd can be given a part of; none if there is none."""
    for mount in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = mount.split()
        if kind == "cgroup2":
            own = re.search(r"^0::(.*)$", pathlib.Path("/proc/self/cgroup").read_text(), re.M)
            return pathlib.Path(place + own.group(1)) if own else None
    return None


def why_not():
    if sys.platform != "linux" or os.geteuid() != 0:
        return "not root on Linux"
    if missing := [program for program in (SYSTEMD, "systemctl", "unshare", "nsenter", "setpriv", "ip") if not shutil.which(program)]:
        return "missing: " + ", ".join(missing)
    if not (group := control_group()) or not os.access(group, os.W_OK):
        return "no control group (v2) to give a part of"
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(["unshare", *NAMESPACES, "--fork", "bash", "-c", OVERLAY, "overlay", folder], capture_output=True, text=True, check=False)
    return "" if made.returncode == 0 else "no namespaces with a root of their own: " + made.stderr.strip()


class Booted:
    """A systemd that was booted, until it is ended."""

    def __init__(self, mayfly):
        self.group = control_group() / f"mayfly-check-{os.getpid()}"
        self.group.mkdir()
        self.folder = tempfile.TemporaryDirectory()
        # Ends with this process however that ends, and everything of its namespaces with it.
        self.outer = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork", "--kill-child", "bash", "-c", BOOT, "boot",
                                       self.folder.name, mayfly, ROOT / "deploy"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True,
                                      preexec_fn=lambda: (self.group / "cgroup.procs").write_text(str(os.getpid())))
        self.until("it is booted", lambda: self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"))

    def run(self, *words, at="/"):
        """These words, as root inside."""
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        if not children:  # not that far yet
            return subprocess.CompletedProcess(words, 1, "", "nobody is inside")
        return subprocess.run(["nsenter", "--target", children[0], *NAMESPACES, "--root", "env", "--chdir", at, "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                               *words], capture_output=True, text=True, check=False)

    def show(self, unit, *properties):
        """What systemd says of a unit: each of these properties."""
        said = dict(line.split("=", 1) for line in self.run("systemctl", "show", unit, "-p", ",".join(properties)).stdout.splitlines())
        return tuple(said.get(name, "") for name in properties)

    def journal(self, unit):
        """What a unit wrote and what systemd wrote about it, up to now."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    def until(self, what, holds):
        """Waits for a condition while systemd runs."""
        for_s = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > for_s:
                raise AssertionError(f"{what}: not in {PATIENCE_S} s\n" + self.run("systemctl", "status", "--no-pager", "mayfly*").stdout)
            if self.outer.poll() is not None:
                raise AssertionError(f"{what}: systemd ended: {self.outer.stderr.read()}")
            time.sleep(0.1)

    def end(self):
        self.outer.kill()
        self.outer.communicate()
        for below in sorted((path for path in self.group.rglob("*") if path.is_dir()), reverse=True):
            self.remove(below)
        self.remove(self.group)
        self.folder.cleanup()

    @staticmethod
    def remove(group):
        """A control group, once the kernel has taken away its last process."""
        while group.exists():
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.01)


def told_to_install():
    """The commands of docs/deploy.md that install units."""
    page = (ROOT / "docs/deploy.md").read_text()
    return [block for block in re.findall(r"(?:^    .*\n)+", page, re.M) if block.startswith("    install")]


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if reason := why_not():
            raise unittest.SkipTest(reason)
        cls.systemd = Booted(MAYFLY)
        cls.addClassCleanup(cls.systemd.end)
        cls.told = [cls.systemd.run("bash", "-c", commands, at="/mayfly") for commands in told_to_install()]
        cls.config = cls.systemd.run("cat", "/etc/mayfly/mayfly.toml").stdout

    def configure(self, text):
        self.systemd.run("bash", "-c", 'printf %s "$1" >/etc/mayfly/mayfly.toml', "configure", text)

    def serving(self, but=""):
        """The engine's process once it serves, another one than `but`."""
        found = []

        def serves():
            state, status, process = self.systemd.show("mayfly", "ActiveState", "StatusText", "MainPID")
            found[:] = [process]
            self.assertNotIn(state, ("failed", "inactive"), "it was given up")
            return (state, status) == ("active", "serving") and process != but

        self.systemd.until("the engine serves", serves)
        return found[0]

    def engine_of(self, process, signal):
        self.assertEqual(self.systemd.run("kill", "-s", signal, process).returncode, 0)

    def test_1_what_the_page_says_installs_and_starts_them(self):
        self.assertEqual(len(self.told), 3)
        for done in self.told:
            self.assertEqual(done.returncode, 0, done.stderr)
        for unit, kind in (("mayfly", "notify"), ("mayfly-front", "exec"), ("mayfly-connect", "exec")):
            self.assertEqual(self.systemd.show(unit, "Type", "UnitFileState", "LoadState"), (kind, "enabled", "loaded"))
            self.systemd.until(unit, lambda unit=unit: self.systemd.show(unit, "ActiveState") == ("active",))

    def test_2_the_engine_counts_as_started_once_it_serves(self):
        """systemd said so after the engine had, and who serves is the unit's own user."""
        process = self.serving()
        lines = self.systemd.journal("mayfly")
        self.assertLess(lines.index('"name":"ready"'), lines.index("Started mayfly.service"))
        self.assertNotEqual(self.systemd.run("stat", "--format=%u", f"/proc/{process}").stdout.strip(), "0")
        self.assertEqual(self.systemd.run("curl", "-sf", "127.0.0.1:9290/readyz").returncode, 0)

    def test_3_killed_it_is_started_again_with_what_it_was_sent(self):
        sent = self.systemd.run("curl", "-sS", "-w", "%{http_code}", "-d", '{"currency":"GBP"}', "127.0.0.1:9280/carts/c1/commands/cart.create")
        self.assertRegex(sent.stdout, "202$", sent.stderr)
        for restarts in (1, 2):
            process = self.serving()
            self.engine_of(process, "KILL")
            self.serving(but=process)
            self.assertEqual(self.systemd.show("mayfly", "NRestarts"), (str(restarts),))
        told = self.systemd.run("mayfly", "inspect", "--config", "/etc/mayfly/mayfly.toml", "c1")
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("cart.created", told.stdout)

    def test_4_stuck_it_is_ended_by_the_watchdog_and_started_again(self):
        process = self.serving()
        before, = self.systemd.show("mayfly", "NRestarts")
        self.engine_of(process, "STOP")
        self.serving(but=process)
        self.assertEqual(self.systemd.show("mayfly", "NRestarts"), (str(int(before) + 1),))
        self.assertIn("Watchdog timeout (limit 45s)", self.systemd.journal("mayfly"))

    def test_5_what_a_person_must_mend_is_left_stopped(self):
        """Failed is an end: a unit that is to be started again is never failed, but waits as `auto-restart`."""
        process = self.serving()
        before, = self.systemd.show("mayfly", "NRestarts")
        self.configure("log = 5\n")
        self.engine_of(process, "KILL")
        expected = ("failed", "exit-code", "3", str(int(before) + 1))

        def ended_again():
            state, restarts = self.systemd.show("mayfly", "ActiveState", "NRestarts")
            return state == "failed" or int(restarts) > int(before) + 1

        self.systemd.until("it gave up", ended_again)
        self.assertEqual(self.systemd.show("mayfly", "ActiveState", "Result", "ExecMainStatus", "NRestarts"), expected)
        self.configure(self.config)
        started = self.systemd.run("systemctl", "start", "mayfly")
        self.assertEqual(started.returncode, 0, started.stderr)
        self.serving()

    def test_6_the_timer_runs_its_service_again_and_again(self):
        figures = "/var/lib/prometheus/node-exporter/mayfly.prom"
        self.assertEqual(self.systemd.show("mayfly-figures.timer", "ActiveState", "UnitFileState"), ("active", "enabled"))
        self.systemd.until("a run's end", lambda: self.systemd.show("mayfly-figures", "ExecMainExitTimestamp") != ("",)
                           and self.systemd.show("mayfly-figures", "ActiveState")[0] in ("inactive", "failed"))
        self.assertEqual(self.systemd.show("mayfly-figures", "Result", "ExecMainStatus"), ("success", "0"), self.systemd.journal("mayfly-figures"))
        self.assertRegex(self.systemd.run("cat", figures).stdout, r"(?m)^mayfly_funds_read_timestamp_seconds \d")
        self.systemd.until("the next", lambda: self.systemd.show("mayfly-figures.timer", "SubState") == ("waiting",))
        self.assertNotIn(self.systemd.show("mayfly-figures.timer", "NextElapseUSecMonotonic"), [("",), ("infinity",)])

    def test_7_stopped_they_drain_and_stay_so(self):
        for unit in ("mayfly-connect", "mayfly-front", "mayfly"):
            self.systemd.run("systemctl", "stop", unit)
            self.assertEqual(self.systemd.show(unit, "ActiveState", "Result", "ExecMainStatus"), ("inactive", "success", "0"), unit)


if __name__ == "__main__":
    if sys.argv[1:] == ["--why-not"]:
        reason = why_not()
        print(reason)
        sys.exit(0 if reason else 1)
    from program import MAYFLY
    unittest.main()
