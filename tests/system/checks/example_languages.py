"""The languages of examples/kafka: what each needs here, made ready from its registry in a copy of its folder in build/examples."""
import fcntl
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES, BUILT = ROOT / "examples/kafka", ROOT / "build/examples"
INSTALL_S = 900
# Of each language: programs that must be here, how it is made ready in a copy of its folder, and how its programs start there.
LANGUAGES = {
    "java": (["java", "mvn"], [["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"]],
             ["java", "-cp", "libs/*", "Shop.java"], ["java", "-cp", "libs/*", "Connector.java"]),
    "python": (["/usr/bin/python3"], [["/usr/bin/python3", "-m", "venv", "venv"], ["venv/bin/pip", "-q", "install", "-r", "requirements.txt"]],
               ["venv/bin/python", "shop.py"], ["venv/bin/python", "connector.py"]),
    "go": (["go"], [["go", "build", "-o", "bin/", "./shop", "./connector"]], ["bin/shop"], ["bin/connector"]),
    "javascript": (["node", "npm"], [["npm", "install", "--silent", "--no-audit", "--no-fund"]], ["node", "shop.js"], ["node", "connector.js"]),
}


def made_ready(language):
    """The folder of the language's programs, or why there is none: (folder, reason)."""
    needs, steps, *_ = LANGUAGES[language]
    for program in needs:
        if not shutil.which(program):
            return None, f"{program} is missing"
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / f"{language}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests may want it at once
        return built(language, steps)


def built(language, steps):
    folder, source = BUILT / language, EXAMPLES / language
    text = b"".join(str(path.relative_to(source)).encode() + path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file())
    marker = folder / "made-of"
    if not marker.exists() or marker.read_bytes() != text:
        marker.unlink(missing_ok=True)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        for step in steps:
            try:
                done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_S)
            except subprocess.TimeoutExpired:
                return None, f"not done in {INSTALL_S} s: {' '.join(step)}"
            if done.returncode != 0:
                return None, f"{' '.join(step)}: {(done.stderr or done.stdout)[-300:]}"
        marker.write_bytes(text)
    return folder, ""
