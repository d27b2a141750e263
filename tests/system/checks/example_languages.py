"""The languages of examples/kafka: what each needs here, made ready from its registry in a copy of its folder in build/examples."""
import pathlib
import shutil

from from_registry import why_not_made

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES, BUILT = ROOT / "examples/kafka", ROOT / "build/examples"
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
    folder, source = BUILT / language, EXAMPLES / language
    sources = sorted(path for path in source.rglob("*") if path.is_file())
    of = b"".join(str(path.relative_to(source)).encode() + path.read_bytes() for path in sources)
    reason = why_not_made(folder, of, [["cp", "-r", f"{source}/.", "."], *steps])
    return (None, reason) if reason else (folder, "")
