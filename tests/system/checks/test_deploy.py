"""deploy/: the systemd unit and the Kubernetes manifests, each by a validator that is not ours, and that both fit what the
program documents. Usage: test_deploy.py MAYFLY

Needs Debian's systemd, python3-yaml and python3-venv; kubernetes-validate, with its schemas, comes from PyPI into build/.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
MAYFLY = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 else str(ROOT / "build/release/mayfly")
UNIT = ROOT / "deploy" / "mayfly.service"
MANIFESTS = ROOT / "deploy" / "kubernetes.yaml"
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
        done = self.validate(MANIFESTS.read_text())
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
