"""The languages of examples/kafka: what each needs here, made ready from its registry in a copy of its folder in build/examples."""
import dataclasses
import pathlib
import shutil

from from_registry import why_not_made

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES, BUILT = ROOT / "examples/kafka", ROOT / "build/examples"


@dataclasses.dataclass(frozen=True)
class Language:
    needs: tuple  # programs that must be here
    fetch: list  # what its registry gives, into a copy of its folder; where that fails, its tests are skipped
    shop: list
    connector: list
    compile: tuple = ()  # what fails there is wrong in the example


LANGUAGES = {
    "java": Language(("java", "mvn"), ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs"],
                     ["java", "-cp", "libs/*", "Shop.java"], ["java", "-cp", "libs/*", "Connector.java"]),
    "python": Language(("/usr/bin/python3",), ["sh", "-c", "/usr/bin/python3 -m venv venv && venv/bin/pip -q install -r requirements.txt"],
                       ["venv/bin/python", "shop.py"], ["venv/bin/python", "connector.py"]),
    "go": Language(("go",), ["go", "mod", "download"], ["bin/shop"], ["bin/connector"], ("go", "build", "-o", "bin/", "./shop", "./connector")),
    "typescript": Language(("node", "npm"), ["npm", "install", "--silent", "--no-audit", "--no-fund"],
                           ["node", "built/shop.js"], ["node", "built/connector.js"], ("npx", "--no-install", "tsc")),
}


def made_ready(name):
    """The folder of the language's programs, or why there is none: (folder, reason)."""
    language = LANGUAGES[name]
    for program in language.needs:
        if not shutil.which(program):
            return None, f"{program} is missing"
    folder, source = BUILT / name, EXAMPLES / name
    sources = sorted(path for path in source.rglob("*") if path.is_file())
    of = b"".join(str(path.relative_to(source)).encode() + path.read_bytes() for path in sources)
    reason = why_not_made(folder, of, [["cp", "-r", f"{source}/.", "."], language.fetch])
    return (None, reason) if reason else (folder, "")
