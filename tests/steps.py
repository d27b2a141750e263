"""The steps of tools/test, in the order in which they start; step_runner.py runs them. Usage: steps.py [--quick] [--list]
[WORD ...]. What is installed for them is in tools/scripts/packages."""
import os
import pathlib
import shutil
import subprocess
import sys

import free_ports
from step_runner import Step, main

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
PYTHON = "/usr/bin/python3"  # the system's, which has the packages of tools/scripts/packages
MAYFLY = "build/release/mayfly"
RELEASE = ("build (g++, release)",)
SANITIZED = ("build (clang, address sanitizer)",)
THREADS = ("build (clang, thread sanitizer)",)
BROKER = ("broker",)
CSV = next(iter(sorted((ROOT / "../shared/data/online_retail").glob("train_*.csv.zst"))), None)
NO_CSV = "" if CSV else "../shared/data is not here"


def build(preset, *targets):
    wanted = ["--target", *targets] if targets else []
    # tools/run may have configured it without tests.
    configure = (f"{{ grep -qs '^MAYFLY_TESTS:BOOL=ON' build/{preset}/CMakeCache.txt && [[ -e build/{preset}/build.ninja ]]; }} || "
                 f"cmake --fresh --preset {preset} -DMAYFLY_TESTS=ON")
    return ["bash", "-c", f'{configure} && cmake --build --preset {preset} "$@"', "build", *wanted]


def bash(script):
    return ["bash", "-c", script]


def check(name, *arguments):
    return [PYTHON, f"tests/system/checks/{name}", *arguments]


# The sanitizer's exit code is 66. It watches and does not prove: it misses the race in some 4 runs of 100.
RACE_IS_FOUND = """for _ in 1 2 3 4 5 6; do
  code=0; build/tsan/tests/threads --race || code=$?
  [[ $code -ne 66 ]] || exit 0
done; exit 1"""

# Says only what it found. Units that include sources are what it is given (CMakeLists.txt, MAYFLY_UNITY).
# Three checks find more in later versions than in 14, which Debian 12 has and which rules.
TIDY = r"""checks=-bugprone-suspicious-include
clang-tidy --version | grep -qF 'version 14.' ||
  checks+=,-readability-redundant-member-init,-performance-noexcept-move-constructor,-performance-inefficient-string-concatenation
if ! run-clang-tidy -j 1 -quiet -checks=$checks -p build/asan "$1" >"$2" 2>/dev/null; then
  grep -E -A 3 '(warning|error):' "$2"; exit 1
fi"""

# The program as a user or client sees it, on a sanitized binary. Tests expect some engines to fail, so what a sanitizer
# reports is looked for in its own file, whatever the test makes of the exit code. What is freed is kept back for 8 MiB
# only, since some tests bound the process's memory.
SANITIZED_CHECK = f"""name=$1; shift; reports=$PWD/build/asan/reports-$name; code=0
rm -rf "$reports"; mkdir -p "$reports"
ASAN_OPTIONS=exitcode=66:quarantine_size_mb=8:log_path=$reports/report UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/report \\
  {PYTHON} "tests/system/checks/test_$name.py" build/asan/mayfly "$@" || code=$?
if [[ -n $(ls -A "$reports") ]]; then head -n 30 "$reports"/*; code=66; fi
exit $code"""

PLANTED_LEAKS = f"""out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
touch "$out"/{{events,deadletters}}.ndjson
build/release/tests/leaks --quick --alerts "$out/alerts.ndjson" && {PYTHON} tests/system/checks/asyncapi.py {MAYFLY} "$out"
"""

# A tenth of what docs/testing.md has, on brokers of its own.
KAFKA_FAULTS = f"""{PYTHON} tests/system/checks/kafka_faults.py {MAYFLY} {CSV} --invoices 4000 --instances 2 --brokers 3 --kills 20 \\
  --broker-kills 2 --stops 2 --network 2 --batch-records 50 --port "$({PYTHON} tests/free_ports.py)" \\
  --broker-folder build/kafka-test-faults"""

RETAIL_SLICE = f"""out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
zstd -dcq {CSV} | sed -n 1,20000p >"$out/rows.csv"
{PYTHON} tests/system/checks/kill_engine.py --kills 1 --folder "$out" {MAYFLY} "$out/rows.csv" &&
  {PYTHON} tests/system/checks/asyncapi.py {MAYFLY} "sqlite:$out/mayfly.db"
"""


def no_fresh_machine():
    """Why a minimal system cannot be made here; empty if it can."""
    asked = subprocess.run([ROOT / "tests/system/checks/fresh_machine", "--why-not"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def no_systemd():
    """Why a systemd of its own cannot be booted here; empty if it can."""
    asked = subprocess.run([PYTHON, ROOT / "tests/system/checks/test_systemd.py", "--why-not"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else ""


def steps():
    # The same sequences in every run: what fails here failed because of a change. Other ones: MAYFLY_SEED=N tools/test.
    seed = int(os.environ.pop("MAYFLY_SEED", "1"))
    seeded = {"MAYFLY_SEED": str(seed)}
    yield Step("build (g++, release)", build("release"), cores=CORES, quick=True)
    yield Step("house rules", [PYTHON, "tests/rooms_test.py"], quick=True)
    yield Step("what runs these steps", [PYTHON, "tests/step_runner_test.py"], quick=True)
    yield Step("format", ["tools/scripts/format", "--check"], quick=True)
    yield Step("pages: links, index, what the code cites", check("test_docs.py"), quick=True)
    yield Step("contract document", check("test_asyncapi.py"), quick=True)
    yield Step("broker", bash("tools/scripts/kafka clean && tools/scripts/kafka start"), cores=0)

    # What takes longest begins first.
    yield Step("build (clang, address sanitizer)", build("asan"))
    yield Step("build (benchmark)", build("release", "bench"), needs=RELEASE)
    yield Step("build (planted bugs, leaks, poison)", build("release", "sim_planted", "leaks", "mayfly_leaking", "mayfly_poison"), needs=RELEASE)
    yield Step("tools/run on a fresh Debian 13", ["tests/system/checks/fresh_machine", "trixie"], skipped=no_fresh_machine())
    yield Step("a tenth of the faults on Kafka", bash(KAFKA_FAULTS), needs=RELEASE + BROKER, cores=0, alone_on="waiting", skipped=NO_CSV)
    for part, units in (("events, adapters", "events|adapters"), ("actors", "actors"), ("tools", "tools")):
        log = f"build/asan/tidy-{part[:6]}.log"
        pattern = f"/mayfly_({units})\\.dir/Unity/" + ("|tools/main\\.cpp$" if units == "tools" else "")
        yield Step(f"clang-tidy: {part}", ["bash", "-c", TIDY, "tidy", f"({pattern})", log], needs=SANITIZED)

    for room in ("events", "adapters", "actors", "tools", "model"):
        yield Step(f"unit tests: {room}", [f"build/release/tests/test_{room}", "--test-case-exclude=*Kafka*"], env=seeded, needs=RELEASE, quick=True)
    yield Step("checkers' own tests", check("test_checks.py"), quick=True)
    yield Step("the checker of what is promised over HTTP", check("test_http_promises.py"), quick=True)
    yield Step("the books' checker", check("test_books.py"), quick=True)
    yield Step("the proxy between engines and brokers", check("test_proxy.py"), quick=True)
    yield Step("probes, metrics, tree, page", check("test_http.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("ticks that no engine wrote", check("test_ticks.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("hostile HTTP clients", check("test_http_hostile.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("traces to a collector", check("test_traces.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("files of a log on SQLite", check("test_sqlite_files.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("the rulebook is the program's", check("test_rulebook.py", MAYFLY, "build/release/tests/words_as_json"), needs=RELEASE, quick=True)
    yield Step("what verbs print", check("test_output.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("tail: positions, types, times", check("test_tail.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("replay tools", check("test_replay.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("whatif is a fresh run", check("test_whatif.py", MAYFLY, "build/release/tests/fresh_run"), needs=RELEASE)
    yield Step("replay export goes on after a kill", check("test_export.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("replay drive", check("test_drive.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("send reads a pipe", check("test_send.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("systemd unit, Kubernetes manifests", check("test_deploy.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("units under a booted systemd", check("test_systemd.py", MAYFLY), needs=RELEASE, skipped=no_systemd())
    yield Step("front door over HTTP", check("test_front.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("OpenAPI page: a linter, requests made from it", check("test_openapi.py", MAYFLY), env=seeded, needs=RELEASE)
    yield Step("HTTPS in and out", check("test_tls.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("connector over HTTP", check("test_connect.py", MAYFLY), env=seeded, needs=RELEASE, quick=True)
    yield Step("simulated payment service", check("test_simulate.py", MAYFLY), env=seeded, needs=RELEASE, quick=True)
    yield Step("web shop of examples/", check("test_webshop.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("CloudEvents SDKs over HTTP", check("test_cloudevents_sdks.py", MAYFLY), needs=RELEASE)
    yield Step("web shop of examples/ in a real browser", check("test_webshop_browser.py", MAYFLY), needs=RELEASE,
               skipped="" if shutil.which("chromium") and shutil.which("npm") else "chromium or npm is missing")
    yield Step("curl's scripts of examples/", check("test_examples_http.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("Stripe's payments of examples/", check("test_stripe.py", MAYFLY), needs=RELEASE, quick=True,
               skipped="" if shutil.which("localstripe") else "localstripe is missing: pip install localstripe")
    yield Step("alert rules, runbooks, dashboard", check("test_prometheus.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("page and report in a real browser", check("test_page.py", MAYFLY), needs=RELEASE,
               skipped="" if shutil.which("chromium") and shutil.which("npm") else "chromium or npm is missing")
    yield Step("both outages, played again", check("test_reenact.py", MAYFLY), needs=RELEASE)
    yield Step("command line", check("test_command_line.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("commands that pages show", check("test_page_commands.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("the README's tour", check("test_tour.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("each verb's exit codes", check("test_verb_codes.py", MAYFLY), needs=RELEASE, quick=True)
    yield Step("simulation: 1,000 seeds", ["build/release/tests/sim", "1000"], needs=RELEASE, quick=True)

    on_broker = {"needs": RELEASE + BROKER, "alone_on": "broker"}
    yield Step("unit tests: adapters on Kafka", ["build/release/tests/test_adapters", "--test-case=*Kafka*"], **on_broker)
    yield Step("Kafka: brokers away, topics deleted, started twice", check("test_kafka_away.py", MAYFLY), **on_broker)
    yield Step("Kafka: TLS, certificates, passwords, ACLs", check("test_kafka_security.py", MAYFLY), needs=RELEASE + BROKER)
    yield Step("Kafka: kcat, Python, Java", check("test_kafka.py", MAYFLY), **on_broker)
    yield Step("Kafka: Java, Python, Go, TypeScript of examples/", check("test_examples.py", MAYFLY), **on_broker)
    yield Step("Kafka: replay says what it says on SQLite", check("test_replay_kafka.py", MAYFLY), **on_broker)
    yield Step("Kafka: the same events as on SQLite", check("same_events.py", MAYFLY, str(CSV), "--invoices", "1000"),
               skipped=NO_CSV, **on_broker)

    yield Step("instructions per command", ["tools/bench", "--quick"], needs=("build (benchmark)",),
               skipped="" if shutil.which("valgrind") else "valgrind is missing")
    for first in (1, 10001):
        yield Step(f"simulation: 10,000 seeds from {first}", ["build/release/tests/sim", "10000", str(first)], needs=RELEASE)
    planted = ("build (planted bugs, leaks, poison)",)
    for bug in range(1, 11):
        yield Step(f"simulation finds bug {bug}", ["build/release/tests/sim_planted", "--bug", str(bug), "20000"], needs=planted)
    yield Step("planted leaks are named; their alerts fit the contract", bash(PLANTED_LEAKS), needs=planted)
    yield Step("a leak's alert by a real Prometheus, and its end", check("test_prometheus.py", MAYFLY, "build/release/tests/mayfly_leaking", "-k", "Leak"),
               needs=planted)
    yield Step("a new leak shows on old traffic", check("test_replay_memory.py", MAYFLY, "build/release/tests/mayfly_leaking"), needs=planted)
    poison = "build/release/tests/mayfly_poison"
    yield Step("20 commands that kill, ten kinds", check("poison.py", "--poisons", "20", MAYFLY, poison), needs=planted)
    yield Step("exit codes 7, 9, 10, 11", check("test_exit_codes.py", poison), needs=planted)
    yield Step("engine, front door, connector killed 9 x under load", check("kill_http.py", "--kills", "9", "--seed", str(seed), MAYFLY), needs=RELEASE)
    yield Step("Kafka: engine, front door, connector killed 9 x under load",
               bash(f'{PYTHON} tests/system/checks/kill_http.py --kills 9 --seed {seed} --kafka "$MAYFLY_KAFKA" {MAYFLY}'), **on_broker)
    yield Step("disk full, file locked", check("test_disk_full.py", MAYFLY), needs=RELEASE)
    for half in (0, 1):
        yield Step(f"model: 50,000 sequences from {seed + half * 50000}", ["build/release/tests/test_model"], needs=RELEASE,
                   env={"MAYFLY_SEED": str(seed + half * 50000), "MAYFLY_SEQUENCES": "50000"})

    for room in ("events", "adapters", "actors", "tools"):
        yield Step(f"address, undefined: {room}", [f"build/asan/tests/test_{room}"], env=seeded, needs=SANITIZED + BROKER, alone_on="broker")
    yield Step("address, undefined: model", ["build/asan/tests/test_model"], needs=SANITIZED, env={"MAYFLY_SEQUENCES": "1000"})
    for place, runs in (("command", 10000), ("snapshot", 10000), ("position", 10000), ("epitaphs", 10000), ("settings", 10000), ("headers", 200000), ("config", 5000), ("bundle", 50000)):
        yield Step(f"fuzz: {place}", ["tests/fuzz/run", place, str(runs), str(seed)], needs=SANITIZED)
    # Not what measures memory, which a sanitizer takes much more of.
    for name, words in (("command_line", ()), ("output", ()), ("send", ()), ("tail", ()), ("replay", ()), ("connect", ()), ("http", ()), ("sqlite_files", ()),
                        ("http_hostile", ("what_", "names", "ranges", "bounded", "slow"))):
        options = [option for word in words for option in ("-k", word)]
        yield Step(f"address, undefined: test_{name}", ["bash", "-c", SANITIZED_CHECK, "sanitized", name, *options], needs=SANITIZED)
    yield Step("CAF for the thread sanitizer", ["tools/scripts/caf_thread_sanitizer"])
    yield Step("build (clang, thread sanitizer)", build("tsan", "test_actors", "threads"), needs=("CAF for the thread sanitizer",))
    yield Step("threads: actors", ["build/tsan/tests/test_actors"], env=seeded, needs=THREADS)
    yield Step("threads: an engine under load", ["build/tsan/tests/threads"], needs=THREADS)
    yield Step("threads: a planted race is found", bash(RACE_IS_FOUND), needs=THREADS)

    for kind, carts, run in (("memory", 10000, 1), ("sqlite", 2000, 2), ("kafka", 1000, 3)):
        waits = {"needs": RELEASE + BROKER, "cores": 0, "alone_on": "waiting"} if kind == "kafka" else {"needs": RELEASE}
        yield Step(f"hostile connectors, {kind}", ["tests/system/checks/hostile.sh", kind, str(carts), str(run)], **waits)
    yield Step("Online Retail, 19,999 rows, killed once, fits the contract", bash(RETAIL_SLICE), needs=RELEASE, skipped=NO_CSV)
    yield Step("Online Retail, engine killed 3 x", check("kill_engine.py", "--kills", "3", MAYFLY, str(CSV)), needs=RELEASE,
               skipped=NO_CSV)


def start():
    # A broker of this run's own: other ports and folder than tools/scripts/kafka's defaults, gone with it.
    os.environ["MAYFLY_KAFKA_HOME"] = str(ROOT / "build/kafka-test")
    os.environ["MAYFLY_KAFKA_PORT"] = str(free_ports.pair())
    os.environ["MAYFLY_KAFKA"] = "127.0.0.1:" + os.environ["MAYFLY_KAFKA_PORT"]
    if shutil.which("ccache"):
        os.environ.setdefault("CMAKE_CXX_COMPILER_LAUNCHER", "ccache")

    def remove_broker():
        subprocess.run([ROOT / "tools/scripts/kafka", "clean"], check=False)

    return main(list(steps()), ROOT, ROOT / "build/test-logs", CORES, sys.argv[1:], remove_broker)


if __name__ == "__main__":
    sys.exit(start())
