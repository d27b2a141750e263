"""docs/openapi.yaml: a linter finds nothing in it, and a front door answers thousands of requests made from it as it says.
Usage: test_openapi.py MAYFLY

The linter comes from npm, the requests from PyPI's schemathesis, into build/openapi-lint and build/schemathesis. Where one cannot
be had, its test is skipped and says so. MAYFLY_SEED draws other requests.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from from_registry import why_not_made
from program import MAYFLY, run
from test_front import Front

ROOT = pathlib.Path(__file__).resolve().parents[3]
OPENAPI = ROOT / "docs/openapi.yaml"
LINTER, LINTER_FOLDER = "@redocly/cli@2.77.0", ROOT / "build/openapi-lint"
GENERATOR, GENERATOR_FOLDER = ("schemathesis==4.32.5", "hypothesis==6.170.17"), ROOT / "build/schemathesis"
EXAMPLES = 20  # of each operation, drawn; with those made of each schema's limits some 3,000 requests in all
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method"


class Page(unittest.TestCase):
    def test_a_linter_finds_nothing(self):
        if not shutil.which("npm"):
            self.skipTest("npm is missing: apt-get install npm")
        install = ["npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund", "--prefix", LINTER_FOLDER, LINTER]
        if reason := why_not_made(LINTER_FOLDER, LINTER.encode(), [install]):
            self.skipTest(reason)
        rules = pathlib.Path(__file__).with_name("openapi_lint.yaml")
        quiet = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}  # it asks nobody
        done = subprocess.run(["node", LINTER_FOLDER / "node_modules/@redocly/cli/bin/cli.js", "lint", "--config", rules, OPENAPI],
                              capture_output=True, text=True, check=False, env=quiet)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class GeneratedRequests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, log = folder.name, f"sqlite:{folder.name}/shop.db"
        run("send", "--log", log, "--create", "cart.create", "first", "currency=GBP")
        engine = subprocess.Popen([MAYFLY, "serve", "--log", log, "--http", "off"], stderr=subprocess.DEVNULL)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.kill)
        self.front = Front(log)
        self.addCleanup(self.front.end)

    def test_requests_made_from_the_page_get_the_answers_that_it_has(self):
        steps = (["/usr/bin/python3", "-m", "venv", "."], ["bin/pip", "-q", "install", *GENERATOR])
        if reason := why_not_made(GENERATOR_FOLDER, " ".join(GENERATOR).encode(), steps):
            self.skipTest(reason)
        seed = os.environ.get("MAYFLY_SEED", "1")
        # Without the stream of events, which does not end.
        done = subprocess.run([GENERATOR_FOLDER / "bin/schemathesis", "run", OPENAPI, "--url", f"http://127.0.0.1:{self.front.port}",
                               "--seed", seed, "--exclude-operation-id", "events", "--max-examples", str(EXAMPLES), "--checks", CHECKS,
                               "--no-color"], capture_output=True, text=True, check=False, cwd=self.folder)
        self.assertEqual(done.returncode, 0, f"seed {seed}: {done.stdout[-4000:]}{done.stderr}")


if __name__ == "__main__":
    unittest.main()
