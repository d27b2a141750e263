"""deploy/prometheus, deploy/grafana, docs/runbooks: rules by promtool, names and commands by the program itself, queries and
some alerts by a real Prometheus that scrapes a real engine. Usage: test_prometheus.py MAYFLY [MAYFLY_LEAKING]

Needs Debian's prometheus and python3-yaml. Nothing here waits for a time to pass: alerts' own times are tested by promtool.
"""
import http.server
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import free_ports  # noqa: E402

from program import MAYFLY

LEAKING = str(pathlib.Path(sys.argv.pop(1)).resolve()) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else ""
RULES = ROOT / "deploy/prometheus/rules.yaml"
RULE_TESTS = ROOT / "deploy/prometheus/rules.test.yaml"
DASHBOARD = ROOT / "deploy/grafana/mayfly.json"
RUNBOOKS = ROOT / "docs/runbooks"
METRIC = re.compile(r"\b(?:mayfly|process)_[a-z_0-9]+\b")


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, **more)


def groups():
    return yaml.safe_load(RULES.read_text())["groups"]


def alerts():
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def expressions():
    """Every query that stands in the rules and on the dashboard, its variables filled in."""
    for group in groups():
        yield from (rule["expr"] for rule in group["rules"])
    yield from dashboard()


def dashboard():
    """Its queries, their variables filled in."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"].replace("$job", ".*").replace("$instance", ".*")


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def until(what, ask):
    """The first answer that is not false. Five minutes are for a machine that is very busy, not what it takes."""
    for _ in range(3000):
        try:
            if answer := ask():
                return answer
        except (urllib.error.URLError, ConnectionError, json.JSONDecodeError):
            pass
        time.sleep(0.1)  # between two questions
    raise AssertionError(f"never came: {what}")


class Rules(unittest.TestCase):
    def test_promtool_finds_them_valid_and_their_unit_tests_pass(self):
        for words in (("check", "rules", str(RULES)), ("test", "rules", str(RULE_TESTS))):
            done = run("promtool", *words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_unit_test_that_expects_something_else_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "rules.yaml").write_text(RULES.read_text().replace("mayfly_leak_bytes > 0", "mayfly_leak_bytes > 9e9"))
            (pathlib.Path(folder) / "rules.test.yaml").write_text(RULE_TESTS.read_text())
            done = run("promtool", "test", "rules", f"{folder}/rules.test.yaml")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("MayflyLeak", done.stdout + done.stderr)

    def test_every_alert_has_a_unit_test_a_severity_and_words_for_people(self):
        tested = [test["name"].split(":")[0] for test in yaml.safe_load(RULE_TESTS.read_text())["tests"]]
        for alert in alerts():
            self.assertIn(alert["alert"], tested)
            self.assertIn(alert["labels"]["severity"], ("critical", "warning"))
            self.assertEqual(set(alert["annotations"]), {"summary", "description", "runbook_url"})


class Runbooks(unittest.TestCase):
    def test_every_alert_has_a_page_and_every_page_an_alert(self):
        pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README", "exit-codes"}
        self.assertEqual(pages, {alert["alert"] for alert in alerts()})
        index = (RUNBOOKS / "README.md").read_text()
        for alert in alerts():
            self.assertEqual(alert["annotations"]["runbook_url"], f"docs/runbooks/{alert['alert']}.md")
            self.assertIn(f"[{alert['alert']}]({alert['alert']}.md)", index)
            text = (RUNBOOKS / f"{alert['alert']}.md").read_text()
            self.assertEqual(re.findall(r"^#+ .*$", text, re.M), [f"# {alert['alert']}", "## Look at", "## Do", "## It is over when"])

    def test_every_exit_code_has_its_part_of_a_page(self):
        text = (RUNBOOKS / "exit-codes.md").read_text()
        there_are = re.findall(r"^\| (\d[\d, ]*) \|", (ROOT / "docs/command-line.md").read_text(), re.M)
        self.assertEqual(re.findall(r"^## (.*)$", text, re.M), there_are)
        for code, part in zip(there_are, re.split(r"^## .*$", text, flags=re.M)[1:]):
            self.assertEqual(re.findall(r"^\*\*([^*.]+)\.?\*\*", part, re.M), ["Look at", "Do", "It is over when"], code)
            self.assertRegex(part, r"(?m)^ {4}\S", code)  # commands to copy

    def test_links_lead_somewhere(self):
        for page in RUNBOOKS.glob("*.md"):
            for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
                self.assertTrue((page.parent / link).exists(), f"{page.name}: {link}")

    def test_the_program_has_every_verb_and_option_that_they_use(self):
        used = set()
        for page in RUNBOOKS.glob("*.md"):
            for words in re.findall(r"(?:^ {4}|`)(mayfly [^`\n#]*)", page.read_text(), re.M):
                verb, *rest = shlex.split(re.sub(r"[|>].*|\d>.*", "", words))[1:]
                if verb == "replay":
                    verb, rest = f"replay {rest[0]}", rest[1:]
                used.update((verb, option.split("=")[0]) for option in ["--help", *rest] if option.startswith("--"))
        self.assertGreater(len(used), 10)
        for verb, option in used:
            self.assertRegex(run(MAYFLY, *verb.split(), "--help").stdout, rf"{option}\b", f"mayfly {verb} {option}")


class Figures(http.server.BaseHTTPRequestHandler):
    """What mayfly-figures.service writes for node_exporter, of the log `log`, read anew each time. One at a time."""
    log = ""

    def do_GET(self):
        words = (("funds", "--metrics"), ("deadletters", "list", "--metrics"))
        text = "".join(run(MAYFLY, *verb, "--log", self.log).stdout for verb in words).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Scraped(unittest.TestCase):
    """A real Prometheus, on loopback and in a folder of its own, scrapes a real demo, and what is read from its log."""
    program = MAYFLY
    environment = {}

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.engine_port, prometheus_port = free_ports.one(), free_ports.one()
        cls.log = f"sqlite:{cls.folder}/shop.db"
        cls.engine = None
        cls.addClassCleanup(lambda: cls.end(cls.engine))
        cls.begin(cls.program, cls.environment)
        cls.front_port = cls.begin_front_door()
        figures = http.server.HTTPServer(("127.0.0.1", 0), type("FiguresOfLog", (Figures,), {"log": cls.log}))
        cls.addClassCleanup(figures.server_close)
        serving = threading.Thread(target=figures.serve_forever)
        serving.start()
        cls.addClassCleanup(serving.join)
        cls.addClassCleanup(figures.shutdown)
        rules = yaml.safe_load(RULES.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule.pop("for", None)  # promtool tests how long; here nothing waits
        (cls.folder / "rules.yaml").write_text(yaml.safe_dump(rules))
        cls.engines(there=True)
        (cls.folder / "prometheus.yaml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [
                {"job_name": "mayfly", "file_sd_configs": [{"files": ["engines.json"], "refresh_interval": "1s"}]},
                {"job_name": "mayfly-front", "static_configs": [{"targets": [f"127.0.0.1:{cls.front_port}"]}]},
                {"job_name": "node", "scrape_interval": "5s", "static_configs": [{"targets": [f"127.0.0.1:{figures.server_port}"]}]},
            ],
        }))
        cls.prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={cls.folder}/prometheus.yaml", f"--storage.tsdb.path={cls.folder}/data",
             f"--web.listen-address=127.0.0.1:{prometheus_port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(lambda: cls.end(cls.prometheus))
        cls.api = f"http://127.0.0.1:{prometheus_port}/api/v1"
        until("the first scrapes", lambda: cls.query('up{job="mayfly"} == 1') and cls.query('up{job="mayfly-front"} == 1')
              and cls.query("mayfly_deadletters_open"))

    @classmethod
    def begin(cls, program, environment=None):
        """A demo at the engine's port, on the log that there is."""
        cls.engine = subprocess.Popen(
            [program, "demo", "--log", cls.log, "--http", f"127.0.0.1:{cls.engine_port}", "--front", "off", "--carts-per-second", "20",
             "--silence", "0", "--delay-ms", "500"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})})

    @classmethod
    def begin_front_door(cls):
        """One beside the engine, once the log is there; one of its requests is refused. Returns its metrics' port."""
        until("the engine", lambda: "mayfly_ready 1" in get(f"http://127.0.0.1:{cls.engine_port}/metrics"))
        cls.front = subprocess.Popen([MAYFLY, "front", "--log", cls.log, "--address", "127.0.0.1:0", "--http", "127.0.0.1:0"],
                                     stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.front.stdout.close)
        cls.addClassCleanup(lambda: cls.end(cls.front))
        address = re.search(r"http://\S+/", cls.front.stdout.readline()).group()
        try:
            get(address + "carts/nobody-s")
        except urllib.error.HTTPError as refused:
            assert refused.code == 404, refused
            refused.close()
        return int(re.search(r":(\d+)/metrics", cls.front.stdout.readline()).group(1))

    @classmethod
    def engines(cls, there):
        """Which ones Prometheus is told to scrape."""
        new = cls.folder / "engines.new"
        new.write_text(json.dumps([{"targets": [f"127.0.0.1:{cls.engine_port}"]}] if there else []))
        new.rename(cls.folder / "engines.json")

    @staticmethod
    def end(process):
        process.terminate()
        process.wait()

    @classmethod
    def query(cls, expression):
        answer = json.loads(get(f"{cls.api}/query?" + urllib.parse.urlencode({"query": expression})))
        return answer["data"]["result"]

    @classmethod
    def firing(cls):
        return {row["metric"]["alertname"] for row in cls.query('ALERTS{alertstate="firing"}')}


class WithAnEngine(Scraped):
    def test_1_every_metric_that_rules_and_dashboard_name_is_there(self):
        connect = subprocess.Popen([MAYFLY, "connect", "--log", self.log, "--config", self.connect_config(), "--http", "127.0.0.1:0"],
                                   stdout=subprocess.PIPE, text=True, env={**os.environ, "SECRET": "whsec_" + "MDEy" * 8})
        self.addCleanup(connect.stdout.close)
        self.addCleanup(self.end, connect)
        address = next(line.split()[-1] for line in connect.stdout if line.startswith("metrics at"))
        figures = get(address) + get(f"http://127.0.0.1:{self.front_port}/metrics") + "".join(run(MAYFLY, *verb, "--log", self.log, "--metrics").stdout for verb in (("funds",), ("deadletters", "list")))
        known = set(re.findall(r"^# TYPE (\S+)", get(f"http://127.0.0.1:{self.engine_port}/metrics") + figures, re.M))
        known |= {f"{name}_bucket" for name in known} | {rule["record"].split(":")[1] for group in groups() for rule in group["rules"] if "record" in rule}
        for expression in expressions():
            for name in METRIC.findall(re.sub(r"\w+:(\w+):\w+", "", expression)):
                self.assertIn(name, known, expression)

    def connect_config(self):
        config = self.folder / "connect.toml"
        config.write_text('[connect.deliver.x]\nurl = "http://127.0.0.1:1/"\ntypes = "order.placed"\nsecret_env = "SECRET"\n')
        return str(config)

    def test_2_prometheus_answers_every_query_and_the_dashboard_s_with_data(self):
        for expression in expressions():
            self.assertIsInstance(self.query(expression), list, expression)
        for expression in dashboard():
            if "mayfly_leak_bytes" not in expression and "ALERTS" not in expression:  # a leak: WithALeak, an alert: below
                # What is filtered by its value is asked whether it is there at all.
                until(expression, lambda e=expression: self.query(e.removesuffix(" > 0")))

    def test_3_a_healthy_engine_raises_no_alert(self):
        until("an evaluation", lambda: self.query("instance:mayfly_commands:rate5m"))
        # On a busy machine commands are late, and a scrape that takes too long is missing until the next one.
        until("no alert", lambda: not self.firing() - {"MayflyCommandsLate"})

    def test_4_one_that_was_killed_does_until_it_is_back(self):
        self.engine.kill()
        self.engine.wait()
        until("the alert", lambda: "MayflyDown" in self.firing())
        shown = next(e for e in dashboard() if "ALERTS" in e)
        self.assertIn("MayflyDown", {row["metric"]["alertname"] for row in until(shown, lambda: self.query(shown))})
        self.begin(MAYFLY)
        until("its end", lambda: self.query('up{job="mayfly"} == 1') and "MayflyDown" not in self.firing())

    def test_5_one_that_ended_for_good_is_missed(self):
        self.end(self.engine)
        until("the first alert", lambda: "MayflyDown" in self.firing())
        self.engines(there=False)
        until("the second in place of the first", lambda: "MayflyAbsent" in (now := self.firing()) and "MayflyDown" not in now)
        self.begin(MAYFLY)
        self.engines(there=True)
        until("its end", lambda: self.query('up{job="mayfly"} == 1') and "MayflyAbsent" not in self.firing())


@unittest.skipUnless(LEAKING, "the program with planted leaks is not given")
class WithALeak(Scraped):
    program = LEAKING
    environment = {"MAYFLY_LEAK": "cart.lines:4000"}

    def test_the_leak_is_named_and_its_alert_ends_with_the_mended_program(self):
        leaks = 'ALERTS{alertname="MayflyLeak",alertstate="firing",purpose="cart.lines"}'
        until("the alert", lambda: self.query(leaks))
        until("its gauge", lambda: self.query('mayfly_alerts_open{name="leak"} > 0'))
        shown = next(e for e in dashboard() if "mayfly_leak_bytes" in e)
        self.assertIn("cart.lines", {row["metric"]["purpose"] for row in self.query(shown)})
        self.end(self.engine)
        self.begin(MAYFLY)
        until("its end", lambda: self.query('up{job="mayfly"} == 1') and self.query('mayfly_alerts_open{name="leak"} == 0') and not self.query(leaks))


if __name__ == "__main__":
    unittest.main()
