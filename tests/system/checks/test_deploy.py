"""deploy/: the systemd units and the Kubernetes manifests, each by a validator that is not ours, and that both fit what the
program documents. Usage: test_deploy.py MAYFLY

Needs Debian's systemd, python3-yaml and python3-venv; kubernetes-validate, with its schemas, comes from PyPI into build/.
"""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import yaml

from program import MAYFLY

ROOT = pathlib.Path(__file__).resolve().parents[3]
UNIT = ROOT / "deploy" / "mayfly.service"
MANIFESTS = ROOT / "deploy" / "kubernetes.yaml"
HTTP_MANIFESTS = ROOT / "deploy" / "kubernetes-http.yaml"
FIGURES_MANIFESTS = ROOT / "deploy" / "kubernetes-figures.yaml"
VALIDATOR = "kubernetes-validate==1.37.0"
VENV = ROOT / "build" / "kubernetes-validate"
DRAIN_LIMIT_S = 25  # operate.drain_limit_ms
STUCK_LIMIT_S = 60  # operate.stuck_limit_ms


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


def setting(name):
    return re.search(rf"^{name}=(.*)$", UNIT.read_text(), re.M).group(1)


class Systemd(unittest.TestCase):
    def verify(self, text):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder) / "mayfly.service"
            unit.write_text(text.replace("/usr/bin/mayfly", MAYFLY))  # it looks for the program
            return run("systemd-analyze", "verify", "--man=no", str(unit))

    def test_the_unit_is_valid(self):
        done = self.verify(UNIT.read_text())
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)

    def test_a_wrong_unit_is_found(self):
        self.assertIn("Unknown key", self.verify(UNIT.read_text().replace("Restart=", "Restrat=")).stderr)

    def test_it_is_hardened(self):
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT))
        print(done.stdout.strip().splitlines()[-1])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_its_times_fit_the_engine_s_limits(self):
        self.assertGreater(int(setting("TimeoutStopSec")), DRAIN_LIMIT_S)
        self.assertGreater(int(setting("WatchdogSec")) + STUCK_LIMIT_S // 2, STUCK_LIMIT_S)

    def test_what_a_person_must_mend_is_not_started_again(self):
        self.assertEqual(setting("RestartPreventExitStatus").split(), ["2", "3", "5", "6"])
        self.assertEqual(setting("Restart"), "always")

    def test_its_config_is_one(self):
        with tempfile.TemporaryDirectory() as folder:  # for those that only the machine has which serves it
            done = run(MAYFLY, "serve", "--check-config", "--config", str(ROOT / "deploy" / "mayfly.toml"), "--log", f"sqlite:{folder}/shop.db",
                       "--state-dir", folder)
            self.assertEqual(done.returncode, 0, done.stderr)


class FrontAndConnect(unittest.TestCase):
    """Their units and manifests beside the engine's."""

    UNITS = [ROOT / "deploy" / f"mayfly-{name}.service" for name in ("front", "connect")]

    @staticmethod
    def settings(unit):
        """What is not of one unit alone."""
        own = ("Description", "After", "Type", "NotifyAccess", "ExecStart", "EnvironmentFile", "TimeoutStartSec", "WatchdogSec", "RestartPreventExitStatus",
               "MemoryHigh", "MemoryMax", "TasksMax", "User")
        lines = [line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and not line.startswith("#")]
        return [(name, value) for name, value in lines if name not in own]

    def test_the_units_are_valid(self):
        for unit in self.UNITS:
            with tempfile.TemporaryDirectory() as folder:
                for file in (UNIT, unit):  # one is named by the other
                    (pathlib.Path(folder) / file.name).write_text(file.read_text().replace("/usr/bin/mayfly", MAYFLY))
                done = run("systemd-analyze", "verify", "--man=no", f"{folder}/{unit.name}")
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)

    def test_they_are_hardened_as_the_engine_s(self):
        for unit in self.UNITS:
            self.assertEqual(self.settings(unit), self.settings(UNIT), unit.name)
            done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_a_person_must_mend_is_not_started_again(self):
        for unit in self.UNITS:
            self.assertIn("\nRestartPreventExitStatus=2 3 6\n", unit.read_text())

    def test_their_commands_have_options_that_there_are(self):
        commands = [re.search(r"^ExecStart=/usr/bin/mayfly (.*)$", unit.read_text(), re.M)[1].split() for unit in self.UNITS]
        commands += [container["command"][1:] for d in self.manifests() if d["kind"] == "Deployment" for container in d["spec"]["template"]["spec"]["containers"]]
        self.assertEqual(len(commands), 4)
        for verb, *words in commands:
            told = run(MAYFLY, verb, "--help").stdout
            for option in (word for word in words if word.startswith("--")):
                self.assertRegex(told, rf"{option}\b")

    def manifests(self):
        return list(yaml.safe_load_all(HTTP_MANIFESTS.read_text()))

    def test_the_configs_are_ones(self):
        texts = [(ROOT / "deploy" / "connect.toml").read_text(), next(d["data"]["connect.toml"] for d in self.manifests() if d["kind"] == "ConfigMap")]
        for text in texts:
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder) / "connect.toml"
                file.write_text(text)
                done = subprocess.run([MAYFLY, "connect", "--check-config", "--config", file], capture_output=True, text=True, timeout=300, check=False,
                                      env={**os.environ, "WAREHOUSE_WEBHOOK": "whsec_" + "MDEy" * 8})
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_everything_means_the_same_pods_and_nobody_else_reaches_them(self):
        deployments = {d["metadata"]["name"]: d["spec"] for d in self.manifests() if d["kind"] == "Deployment"}
        for d in self.manifests():
            name, spec = d["metadata"]["name"], d.get("spec")
            if d["kind"] == "ConfigMap":
                continue
            labels = deployments[name]["template"]["metadata"]["labels"]
            selector = {"Service": lambda: spec["selector"], "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"]}.get(
                d["kind"], lambda: spec["selector"]["matchLabels"])()
            self.assertEqual(selector, labels, (d["kind"], name))
            if d["kind"] == "NetworkPolicy":
                self.assertEqual(spec["policyTypes"], ["Ingress", "Egress"])
                self.assertTrue(all(source.get("podSelector") for rule in spec["ingress"] for source in rule["from"]), name)
        self.assertEqual((deployments["mayfly-connect"]["replicas"], deployments["mayfly-connect"]["strategy"]), (1, {"type": "Recreate"}))


class Figures(unittest.TestCase):
    """What reads money and dead letters for Prometheus: deploy/mayfly-figures.*, deploy/kubernetes-figures.yaml."""

    SERVICE = ROOT / "deploy" / "mayfly-figures.service"
    TIMER = ROOT / "deploy" / "mayfly-figures.timer"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "node-exporter").mkdir()
        (self.folder / "mayfly.toml").write_text(f'log = "sqlite:{self.folder}/shop.db"\n')

    def here(self, text):
        """With the places of this test."""
        return text.replace("/usr/bin/mayfly", MAYFLY).replace("/etc/mayfly", str(self.folder)).replace("/var/lib/prometheus", str(self.folder))

    def test_service_and_timer_are_valid_and_hardened(self):
        for file in (UNIT, self.SERVICE, self.TIMER):
            (self.folder / file.name).write_text(file.read_text().replace("/usr/bin/mayfly", MAYFLY))
        done = run("systemd-analyze", "verify", "--man=no", f"{self.folder}/{self.TIMER.name}", f"{self.folder}/{self.SERVICE.name}")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(self.SERVICE))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def run_service(self):
        """As systemd runs it: each command after the one before, standard output appended to the file; the first that fails ends it."""
        text = self.here(self.SERVICE.read_text())
        out = re.search(r"^StandardOutput=append:(.*)$", text, re.M)[1]
        for line in re.findall(r"^ExecStart(?:Pre|Post)?=\+?(.*)$", text, re.M):
            with open(out, "ab") as file:
                if (code := subprocess.run(line.split(), stdout=file, stderr=subprocess.DEVNULL, timeout=300, check=False).returncode) != 0:
                    return code
        return 0

    def test_the_service_writes_what_prometheus_reads_and_keeps_it_where_a_reading_fails(self):
        prom = self.folder / "node-exporter" / "mayfly.prom"
        self.assertEqual(self.run_service(), 2)  # there is no log
        self.assertFalse(prom.exists())
        made = run(MAYFLY, "send", "--log", f"sqlite:{self.folder}/shop.db", "--create", "cart.create", "c1", "currency=GBP")
        self.assertEqual(made.returncode, 0, made.stderr)
        for _ in range(2):  # the second one takes the place of the first
            self.assertEqual(self.run_service(), 0)
            self.assertEqual(len(re.findall(r"^mayfly_funds_read_timestamp_seconds \d+$", prom.read_text(), re.M)), 1)
        checked = subprocess.run(["promtool", "check", "metrics"], input=prom.read_text(), capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        self.assertIn('mayfly_deadletters_open{reason="json_invalid"} 0\n', prom.read_text())
        before = prom.read_text()
        (self.folder / "shop.db").unlink()
        self.assertNotEqual(self.run_service(), 0)
        self.assertEqual(prom.read_text(), before)

    def test_the_cron_job_reads_the_same_and_its_pods_reach_nothing_else(self):
        policy, cron = yaml.safe_load_all(FIGURES_MANIFESTS.read_text())
        pod = cron["spec"]["jobTemplate"]["spec"]["template"]
        self.assertEqual(policy["spec"]["podSelector"]["matchLabels"], pod["metadata"]["labels"])
        self.assertEqual((policy["spec"]["policyTypes"], "ingress" in policy["spec"], cron["spec"]["concurrencyPolicy"]), (["Ingress", "Egress"], False, "Forbid"))
        script = pod["spec"]["initContainers"][0]["command"]
        self.assertEqual(run(MAYFLY, "send", "--log", f"sqlite:{self.folder}/shop.db", "--create", "cart.create", "c1", "currency=GBP").returncode, 0)
        self.assertEqual(self.run_service(), 0)
        done = run(*script[:2], self.here(script[2]).replace("/figures", str(self.folder)))
        self.assertEqual(done.returncode, 0, done.stderr)
        families = [re.findall(r"^# TYPE .*$", (self.folder / name).read_text(), re.M) for name in ("mayfly.prom", "node-exporter/mayfly.prom")]
        self.assertEqual(*families)
        put = pod["spec"]["containers"][0]["command"]
        self.assertIn("/figures/mayfly.prom", put)
        self.assertIn(int(re.search(r":(\d+)/metrics/job/", put[-1])[1]), {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]})


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.validator = VENV / "bin" / "kubernetes-validate"
        if not cls.validator.exists():
            for words in (["/usr/bin/python3", "-m", "venv", str(VENV)], [str(VENV / "bin" / "pip"), "-q", "install", VALIDATOR]):
                done = run(*words)
                assert done.returncode == 0, done.stdout + done.stderr
        cls.by_kind = {d["kind"]: d for d in yaml.safe_load_all(MANIFESTS.read_text())}

    def validate(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "manifests.yaml"
            file.write_text(text)
            return run(str(self.validator), "--strict", str(file))

    def test_the_manifests_are_valid(self):
        for manifests in (MANIFESTS, HTTP_MANIFESTS, FIGURES_MANIFESTS):
            done = self.validate(manifests.read_text())
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_wrong_manifest_is_found(self):
        for wrong in (("periodSeconds: 10", "periodSecs: 10"), ("replicas: 2", "replicas: two")):
            self.assertNotEqual(self.validate(MANIFESTS.read_text().replace(*wrong)).returncode, 0, wrong)

    def test_everything_means_the_same_pods(self):
        labels = self.by_kind["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
        selectors = [
            self.by_kind["Service"]["spec"]["selector"],
            self.by_kind["StatefulSet"]["spec"]["selector"]["matchLabels"],
            self.by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
            self.by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        ]
        self.assertEqual(selectors, [labels] * 4)
        self.assertEqual(self.by_kind["StatefulSet"]["spec"]["serviceName"], self.by_kind["Service"]["metadata"]["name"])

    def test_pods_have_the_time_to_drain(self):
        pod = self.by_kind["StatefulSet"]["spec"]["template"]["spec"]
        self.assertGreater(pod["terminationGracePeriodSeconds"], DRAIN_LIMIT_S)

    def test_only_who_is_named_may_ask_and_only_kafka_and_names_are_asked(self):
        policy = self.by_kind["NetworkPolicy"]["spec"]
        pod = self.by_kind["StatefulSet"]["spec"]["template"]["spec"]
        kafka = re.search(r'log = "kafka:[^:]+:(\d+)"', self.by_kind["ConfigMap"]["data"]["mayfly.toml"]).group(1)
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        for rule in policy["ingress"]:
            self.assertTrue(rule["from"], "a rule without `from` lets everybody in")
            self.assertTrue(all(source.get("podSelector") for source in rule["from"]), rule)
            self.assertEqual([port["port"] for port in rule["ports"]], [port["name"] for port in pod["containers"][0]["ports"]])
        self.assertEqual({port["port"] for rule in policy["egress"] for port in rule["ports"]}, {53, int(kafka)})

    def test_the_config_is_one(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "mayfly.toml"
            file.write_text(self.by_kind["ConfigMap"]["data"]["mayfly.toml"])
            done = run(MAYFLY, "serve", "--check-config", "--config", str(file), "--state-dir", folder)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
