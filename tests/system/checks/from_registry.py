"""What a check needs from a package registry, made once into a folder below build/. Where it cannot be had, the check is skipped."""
import fcntl
import subprocess

INSTALL_S = 900


def why_not_made(folder, of, steps):
    """Runs the steps in the folder unless they were run there with this `of` (bytes) before; returns why it could not, or "".
    Two checks may want the same folder at once."""
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / "made-of"
    with open(folder / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if marker.exists() and marker.read_bytes() == of:
            return ""
        marker.unlink(missing_ok=True)
        for step in steps:
            words = " ".join(map(str, step))
            try:
                done = subprocess.run(step, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_S)
            except subprocess.TimeoutExpired:
                return f"not done in {INSTALL_S} s: {words}"
            if done.returncode != 0:
                return f"{words}: {(done.stderr or done.stdout)[-300:]}"
        marker.write_bytes(of)
    return ""
