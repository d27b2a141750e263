"""A machine whose file system freezes and whose clock is wrong, for one program: machine.c, preloaded. Needs cc and glibc."""
import os
import pathlib
import subprocess


class Machine:
    """`environment` is for the program; the two files are what is wrong while they exist."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        library = folder / "machine.so"
        source = pathlib.Path(__file__).with_name("machine.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source)], check=True)
        self.frozen = folder / "frozen"
        self.late = folder / "late"
        self.environment = os.environ | {"LD_PRELOAD": str(library), "MAYFLY_FROZEN": str(self.frozen), "MAYFLY_LATE": str(self.late)}
