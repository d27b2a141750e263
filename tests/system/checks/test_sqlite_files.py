"""The files of a log on SQLite, from outside: who makes them, who may open them, what becomes of them under an engine.

Usage: test_sqlite_files.py MAYFLY. What another user may do is tried as root only, who can be another user.
"""
import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from program import MAYFLY, PATIENCE_S

NOBODY = 65534
PARTS = ("", "-wal", "-shm")


def run(*words, mayfly=MAYFLY, **how):
    return subprocess.run([mayfly, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, check=False, **how)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "shop.db"
        self.log = f"sqlite:{self.path}"

    def serve(self, *words, path=None, **how):
        command = [MAYFLY, "serve", "--log", f"sqlite:{path or self.path}", "--http", "off", *words]
        engine = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **how)
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        for line in engine.stderr:
            if '"name":"ready"' in line:
                return engine
        self.fail(f"the engine ended with {engine.wait()}")

    def stop(self, engine):
        engine.send_signal(signal.SIGTERM)
        self.assertEqual(engine.wait(PATIENCE_S), 0)

    def kill(self, engine):
        engine.kill()
        engine.wait()

    def send(self, cart, path=None):
        done = run("send", "--log", f"sqlite:{path or self.path}", "cart.create", cart, "currency=GBP")
        self.assertEqual(done.returncode, 0, done.stderr)

    def wait_for_cart(self, cart, path=None):
        deadline = time.monotonic() + PATIENCE_S
        while cart not in run("tail", "--log", f"sqlite:{path or self.path}", "--from", "begin", "--cart", cart).stdout:
            self.assertLess(time.monotonic(), deadline)

    def wait_for_event(self, cart, event):
        deadline = time.monotonic() + PATIENCE_S
        while event not in run("tail", "--log", self.log, "--from", "begin", "--cart", cart, "--json").stdout:
            self.assertLess(time.monotonic(), deadline)

    def served_with_carts(self, *carts):
        engine = self.serve()
        for cart in carts:
            self.send(cart)
            self.wait_for_cart(cart)
        return engine

    def check_refused(self, done, code, *said):
        self.assertEqual(done.returncode, code, done.stderr)
        for words in said:
            self.assertIn(words, done.stderr)


class UnderAnEngine(Files):
    def check_ends(self, engine):
        said = engine.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(engine.returncode, 6, said)
        self.assertIn("removed, moved or replaced while it was in use", said)

    def test_an_idle_engine_ends_with_6_when_a_file_of_its_log_is_gone_or_is_another(self):
        def replace(path):
            shutil.copy(path, self.folder / "other")
            os.rename(self.folder / "other", path)

        for part in ("", "-wal"):
            for what in (os.remove, replace, lambda path: os.rename(path, self.folder / "moved")):
                engine = self.served_with_carts("c1")
                what(f"{self.path}{part}")
                self.check_ends(engine)
                for left in self.folder.iterdir():
                    left.unlink()

    def test_nothing_more_is_written_to_a_log_that_was_removed_and_none_is_made_in_its_place(self):
        engine = self.served_with_carts("c1")
        sender = subprocess.Popen([MAYFLY, "send", "--log", self.log, "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(sender.stderr.close)
        self.addCleanup(sender.stdin.close)
        sender.stdin.write('{"type":"cart.create","cart":"c2","data":{"currency":"GBP"}}\n' * 1000)
        sender.stdin.flush()
        self.wait_for_cart("c2")
        for part in PARTS:
            os.remove(f"{self.path}{part}")
        said = sender.communicate('{"type":"cart.create","cart":"c3","data":{"currency":"GBP"}}\n', timeout=PATIENCE_S)[1]
        self.assertEqual(sender.returncode, 6, said)
        self.check_ends(engine)
        self.check_refused(run("send", "--log", self.log, "cart.create", "c4", "currency=GBP"), 2, "there is no such log")
        self.assertFalse(self.path.exists())

    def test_a_log_that_is_gone_is_not_begun_anew_by_whoever_starts_the_engine_again(self):
        self.stop(self.served_with_carts("c1"))
        for gone in (lambda: os.truncate(self.path, 0), lambda: os.remove(self.path)):
            gone()
            self.check_refused(run("serve", "--log", self.log, "--http", "off"), 6, "is gone", "remove")
            for part in PARTS[1:]:
                pathlib.Path(f"{self.path}{part}").unlink(missing_ok=True)
        self.assertFalse(self.path.exists())
        os.remove(f"{self.path}.lock")
        self.serve()

    def test_only_serve_demo_and_create_make_a_log(self):
        csv = self.folder / "rows.csv"
        csv.write_text("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
        create = ("cart.create", "c1", "currency=GBP")
        for words in (("send", *create), ("feed", csv), ("tail",), ("inspect", "c1"), ("funds",), ("replay", "verify"), ("deadletters", "list")):
            self.check_refused(run(*words, "--log", self.log), 2, "there is no such log")
            self.assertEqual([f.name for f in self.folder.iterdir()], ["rows.csv"])
        for words in (("send", *create), ("feed", csv)):
            done = run(*words, "--log", self.log, "--create")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(self.path.exists())
            self.path.unlink()

    def test_a_folder_is_no_log_and_nothing_is_left_beside_it(self):
        self.check_refused(run("serve", "--log", f"sqlite:{self.folder}", "--http", "off"), 2, "is no file")
        self.assertFalse(pathlib.Path(f"{self.folder}.lock").exists())


class Parts(Files):
    def copy(self, *parts, name="copy.db"):
        for part in parts:
            shutil.copy(f"{self.path}{part}", f"{self.folder}/{name}{part}")
        return self.folder / name

    def check_not_whole(self, path, why):
        for words in (("tail",), ("inspect", "c1"), ("send", "cart.create", "c9", "currency=GBP"), ("serve", "--http", "off")):
            for _ in range(2):  # being refused leaves nothing that lets the next one in
                self.check_refused(run(*words, "--log", f"sqlite:{path}"), 6, "this is not a whole log", why, "mayfly backup")

    def test_a_copy_of_a_served_log_without_its_wal_is_no_log(self):
        self.served_with_carts("c1", "c2")
        self.check_not_whole(self.copy(""), "was not copied or moved with it")

    def test_a_copy_of_a_served_log_with_its_wal_is_one(self):
        self.served_with_carts("c1")
        path = self.copy("", "-wal")
        self.serve(path=path)
        self.wait_for_cart("c1", path)

    def test_a_copy_that_another_program_has_closed_is_one_if_its_owner_says_so(self):
        self.kill(self.served_with_carts("c1"))
        with contextlib.closing(sqlite3.connect(self.path)) as shell:
            shell.execute("SELECT count(*) FROM commands").fetchall()
        path = self.copy("")
        self.check_not_whole(path, "was not copied or moved with it")
        pathlib.Path(f"{path}-wal").touch()
        self.serve(path=path)
        self.wait_for_cart("c1", path)

    def test_a_log_at_rest_is_whole_in_its_file_alone(self):
        self.stop(self.served_with_carts("c1"))
        path = self.copy("")
        self.serve(path=path)
        self.wait_for_cart("c1", path)

    def test_a_log_whose_wal_was_lost_after_a_kill_is_not_served(self):
        self.kill(self.served_with_carts("c1"))
        os.remove(f"{self.path}-wal")
        self.check_not_whole(self.path, "was lost, or an older copy was put in its place")

    def test_a_log_that_another_program_closed_after_a_kill_is_whole(self):
        self.kill(self.served_with_carts("c1"))
        with contextlib.closing(sqlite3.connect(self.path)) as shell:
            shell.execute("SELECT count(*) FROM commands").fetchall()
        self.assertFalse(os.path.exists(f"{self.path}-wal"))
        self.serve()
        self.wait_for_cart("c1")


class Growth(Files):
    def config(self, text):
        file = self.folder / "mayfly.toml"
        file.write_text(text)
        return ("--config", str(file))

    def lines_until(self, engine, name):
        said = []
        for line in engine.stderr:
            said.append(json.loads(line))
            if said[-1]["name"] == name:
                return said
        self.fail(f"the engine ended with {engine.wait()} and never said {name}: {said}")

    def send_carts(self, first, count):
        lines = (json.dumps({"type": "cart.create", "cart": f"cart-{n}", "data": {"currency": "GBP", "customer_id": "c" * 120}}) for n in range(first, first + count))
        done = subprocess.run([MAYFLY, "send", "--log", self.log, "-"], input="\n".join(lines), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_wal_that_a_reader_keeps_from_being_begun_anew_is_an_alert_until_it_is_small_again(self):
        engine = self.serve(*self.config(f"[sqlite]\nalert_wal_bytes = {20 << 20}\n"))
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as shell:
            shell.execute("BEGIN")
            shell.execute("SELECT count(*) FROM commands").fetchall()
            self.send_carts(0, 20_000)
            said = self.lines_until(engine, "log_over_limit")[-1]
            self.assertIn("The log's wal_bytes is", said["message"])
            self.assertIn("docs/log.md", said["message"])
            shell.execute("ROLLBACK")
        for round in range(100):
            self.send_carts(100_000 + round * 100, 100)
            if os.path.getsize(f"{self.path}-wal") <= 16 << 20:
                break
        self.lines_until(engine, "log_within_limit")
        alerts = [json.loads(line)["data"]["alert"] for line in run("tail", "--log", self.log, "--stream", "alerts", "--from", "begin", "--json").stdout.splitlines()]
        self.assertEqual(alerts, ["log_over_limit", "log_within_limit"])

    def test_a_wal_that_nobody_holds_stays_small_whoever_writes(self):
        self.serve()
        self.send_carts(0, 20_000)
        self.wait_for_cart("cart-19999")
        self.assertLessEqual(os.path.getsize(f"{self.path}-wal"), 40 << 20)

    def test_a_log_that_forgets_keeps_what_is_open_and_says_where_its_history_begins(self):
        engine = self.served_with_carts(*(f"old-{n}" for n in range(12)))
        for n in range(12):
            if n != 3:
                self.assertEqual(run("send", "--log", self.log, "cart.cancel", f"old-{n}").returncode, 0)
        self.wait_for_event("old-11", "cart.canceled")
        self.stop(engine)
        with contextlib.closing(sqlite3.connect(self.path)) as log, log:  # months ago
            for table in ("commands", "events"):
                log.execute(f"UPDATE {table} SET append_time_ms = append_time_ms - 10000000000")
            log.execute("DELETE FROM state WHERE substr(key, 1, 2) = x'0165'")  # the epitaphs
            [(kept,)] = log.execute("SELECT partition FROM state WHERE key = CAST('old-3' AS BLOB)").fetchall()
        engine = self.serve(*self.config("[sqlite]\nretention_ms = 86400000\n"))
        deadline = time.monotonic() + PATIENCE_S
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as log:
            while log.execute("SELECT count(*) FROM commands WHERE partition != ? AND key IS NOT NULL", (kept,)).fetchall() != [(0,)]:
                self.assertLess(time.monotonic(), deadline)
        open_cart = run("inspect", "old-3", "--log", self.log)
        self.assertIn("cart old-3: active", open_cart.stdout)
        self.assertIn("cart.created", open_cart.stdout)
        gone = next(f"old-{n}" for n in range(12) if n != 3 and "cart.created" not in run("inspect", f"old-{n}", "--log", self.log).stdout)
        self.assertIn("are no longer in the log", run("inspect", gone, "--log", self.log).stderr)
        self.assertIn("are no longer there", run("funds", "--log", self.log).stderr)
        self.check_refused(run("replay", "verify", "--log", self.log), 6, "are no longer there")
        self.send("new")
        self.wait_for_cart("new")
        self.stop(engine)
        self.stop(self.serve())

    def test_a_log_over_its_limit_is_an_alert(self):
        engine = self.serve(*self.config("[sqlite]\nalert_bytes = 100000\n"))
        self.send_carts(0, 500)
        said = self.lines_until(engine, "log_over_limit")[-1]
        self.assertIn("The log's bytes is", said["message"])

    def test_sizes_are_metrics(self):
        engine = subprocess.Popen([MAYFLY, "serve", "--log", self.log, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(engine.kill)
        page = next(line["message"].split()[-1] for line in self.lines_until(engine, "ready") if line["name"] == "http")
        wanted = {"bytes", "wal_bytes", "free_bytes", "disk_free_bytes", "first_offset"}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with urllib.request.urlopen(page + "metrics", timeout=PATIENCE_S) as answer:
                text = answer.read().decode()
            found = {name for name in wanted if f"\nmayfly_log_{name}" in text}
            if found == wanted:
                return
            self.assertLess(time.monotonic(), deadline, found)


class Damage(Files):
    def test_a_damaged_state_record_costs_its_cart_until_it_is_mended_from_a_backup(self):
        self.stop(self.served_with_carts("c1", "c2"))
        self.assertEqual(run("backup", "--log", self.log, self.folder / "copy.db").returncode, 0)
        with contextlib.closing(sqlite3.connect(self.path)) as log, log:
            log.execute("UPDATE state SET value = substr(value, 1, 10) WHERE key = CAST('c1' AS BLOB)")
        engine = self.serve()
        for cart in ("c1", "c2"):
            self.assertEqual(run("send", "--log", self.log, "cart.add_line", cart, "sku=A", "quantity=1", "unit_price_minor=5").returncode, 0)
        self.wait_for_event("c2", "cart.line_added")
        self.wait_for_event("c1", "command.dead_lettered")
        self.assertIn("c1", run("tail", "--log", self.log, "--stream", "alerts", "--from", "begin", "--json").stdout)
        self.check_refused(run("deadletters", "release", "c1", "--log", self.log), 1, "cannot be read", "docs/deadletters.md")
        self.stop(engine)
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as log:
            log.execute("ATTACH ? AS old", (str(self.folder / "copy.db"),))
            log.execute("UPDATE state SET value = (SELECT value FROM old.state o WHERE o.partition = state.partition AND o.key = state.key)"
                        " WHERE key = CAST('c1' AS BLOB)")
        engine = self.serve()
        self.assertEqual(run("deadletters", "retry", "--cart", "c1", "--yes", "--log", self.log).returncode, 0)
        self.wait_for_event("c1", "cart.line_added")
        self.stop(engine)
        verified = run("replay", "verify", "--log", self.log)
        self.assertEqual(verified.returncode, 0, verified.stdout)


class Backups(Files):
    def setUp(self):
        super().setUp()
        self.copy = self.folder / "copy.db"

    def backup(self, to=None):
        return run("backup", "--log", self.log, to or self.copy)

    def check_backed_up(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("is whole", done.stdout)
        self.assertEqual(sorted(f.name for f in self.folder.glob("copy.db*")), ["copy.db"])
        self.assertEqual(stat.S_IMODE(self.copy.stat().st_mode), 0o600)

    def feed(self):
        """A shop that never stops: carts are created as fast as they go in."""
        sender = subprocess.Popen([MAYFLY, "send", "--log", self.log, "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def go():
            with contextlib.suppress(BrokenPipeError):
                for number in itertools.count():
                    sender.stdin.write(json.dumps({"type": "cart.create", "cart": f"fed-{number}", "data": {"currency": "GBP"}}) + "\n")

        thread = threading.Thread(target=go)
        thread.start()

        def stop():
            sender.kill()
            thread.join()
            with contextlib.suppress(BrokenPipeError):
                sender.stdin.close()
            sender.wait()

        return stop

    def restore(self):
        """As docs/backup.md says."""
        (self.folder / "old").mkdir(exist_ok=True)
        for file in self.folder.glob("shop.db*"):
            file.replace(self.folder / "old" / file.name)
        shutil.copy(self.copy, self.path)

    def check_serves_on(self, cart):
        engine = self.serve()
        self.send(cart)
        self.wait_for_cart(cart)
        self.stop(engine)
        done = run("replay", "verify", "--log", self.log)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_backup_made_under_load_is_restored_after_a_kill_and_served_on(self):
        engine = self.served_with_carts("before")
        stop = self.feed()
        try:
            self.wait_for_cart("fed-2000")
            self.check_backed_up(self.backup())
        finally:
            stop()
            self.kill(engine)
        self.restore()
        self.wait_for_cart("before")
        self.check_serves_on("after")

    def test_an_engine_killed_while_a_backup_runs_takes_nothing_from_it(self):
        engine = self.served_with_carts("before")
        stop = self.feed()
        try:
            self.wait_for_cart("fed-2000")
            copying = subprocess.Popen([MAYFLY, "backup", "--log", self.log, str(self.copy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while copying.poll() is None and not os.path.exists(f"{self.copy}.partial"):
                time.sleep(0.001)
            self.kill(engine)
            out, err = copying.communicate(timeout=PATIENCE_S)
        finally:
            stop()
        self.check_backed_up(subprocess.CompletedProcess([], copying.returncode, out, err))
        self.restore()
        self.check_serves_on("after")

    def test_a_backup_that_is_killed_leaves_no_half_one_under_its_name_and_the_next_is_whole(self):
        self.served_with_carts("before")
        stop = self.feed()
        try:
            self.wait_for_cart("fed-2000")
            copying = subprocess.Popen([MAYFLY, "backup", "--log", self.log, str(self.copy)], stdout=subprocess.DEVNULL)
            while copying.poll() is None and not os.path.exists(f"{self.copy}.partial"):
                time.sleep(0.001)
            copying.kill()
            if copying.wait() == 0:
                self.copy.unlink()  # it was faster
            self.assertFalse(self.copy.exists())
            self.check_backed_up(self.backup())
        finally:
            stop()

    def test_a_backup_is_not_put_over_anything(self):
        self.stop(self.served_with_carts("c1"))
        self.check_refused(self.backup(self.path), 2, "is there already")
        self.copy.symlink_to(self.folder / "elsewhere")
        self.check_refused(self.backup(), 2, "is there already")
        pathlib.Path(f"{self.folder}/new.db.partial").symlink_to(self.folder / "elsewhere")
        self.check_refused(self.backup(self.folder / "new.db"), 2, "is a symbolic link")
        self.assertFalse((self.folder / "elsewhere").exists())
        self.check_refused(run("backup", "--log", "kafka:localhost:1", self.copy), 2, "Only a log on SQLite")
        self.check_refused(run("backup", "--log", f"sqlite:{self.folder}/none.db", self.folder / "copy2"), 2, "there is no such log")

    def test_a_damaged_log_is_not_backed_up_in_silence(self):
        self.stop(self.served_with_carts("c1"))
        with contextlib.closing(sqlite3.connect(self.path)) as log, log:
            log.execute("UPDATE positions SET next = next + 1")
        self.check_refused(self.backup(), 6, "do not agree")
        self.assertEqual(list(self.folder.glob("copy.db*")), [])

    def test_a_backup_restored_beside_the_wal_of_the_log_before_it_is_not_read_with_it(self):
        engine = self.served_with_carts("c1")
        self.check_backed_up(self.backup())
        self.send("c2")
        self.wait_for_cart("c2")
        self.kill(engine)
        shutil.copy(self.copy, self.path)
        for words in (("tail",), ("serve", "--http", "off"), ("send", "cart.create", "c9", "currency=GBP")):
            self.check_refused(run(*words, "--log", self.log), 6, "shop.db-wal is not this file's", "remove")
        for part in ("-wal", "-shm"):
            os.remove(f"{self.path}{part}")
        self.check_serves_on("c3")


class Owners(Files):
    def check_modes(self, names):
        found = {f.name: oct(stat.S_IMODE(f.stat().st_mode)) for f in self.folder.iterdir() if f.is_file()}
        self.assertEqual(found, {name: "0o600" for name in names})

    def test_files_are_for_their_owner_alone_whatever_the_umask(self):
        for umask in (0, 0o777):
            state = self.folder / f"state-{umask}"
            state.mkdir()
            engine = self.serve(umask=umask)
            self.check_modes(("shop.db", "shop.db-wal", "shop.db-shm", "shop.db.lock", "shop.db.flight"))
            self.stop(engine)
            self.stop(self.serve("--state-dir", str(state), umask=umask))
            self.assertEqual(stat.S_IMODE((state / "mayfly-mayfly.flight").stat().st_mode), 0o600)
            for file in self.folder.glob("shop.db*"):
                file.unlink()
        self.assertEqual(run("send", "--create", "--log", self.log, "cart.create", "c1", "currency=GBP", umask=0).returncode, 0)
        self.check_modes(("shop.db", "shop.db-wal", "shop.db-shm"))

    def test_no_symbolic_link_is_followed(self):
        for name in ("shop.db", "shop.db.lock", "shop.db.flight"):
            target = self.folder / f"target-of-{name}"
            (self.folder / name).symlink_to(target)
            self.check_refused(run("serve", "--log", self.log, "--http", "off"), 2, "is a symbolic link")
            self.assertFalse(target.exists())
            (self.folder / name).unlink()
        self.stop(self.serve())
        (self.folder / "link.db").symlink_to(self.path)
        for words in (("tail",), ("send", "cart.create", "c1", "currency=GBP"), ("serve", "--http", "off")):
            self.check_refused(run(*words, "--log", f"sqlite:{self.folder}/link.db"), 2, "is a symbolic link")

    def test_a_folder_may_be_reached_through_a_link(self):
        (self.folder / "real").mkdir()
        (self.folder / "link").symlink_to(self.folder / "real")
        self.serve(path=self.folder / "link" / "shop.db")


@unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
class OtherUsers(Files):
    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.mayfly = shutil.copy(MAYFLY, self.folder / "mayfly")
        os.chmod(self.mayfly, 0o755)

    def as_nobody(self, *words):
        return run(*words, mayfly=self.mayfly, user=NOBODY, group=NOBODY, extra_groups=[])

    def owners(self):
        return {f.name: f.stat().st_uid for f in self.folder.iterdir()}

    def let_others_read(self):
        for part in PARTS:
            os.chmod(f"{self.path}{part}", 0o644)

    def read_all(self, *also):
        for words in (("tail", "--from", "begin"), ("inspect", "c1"), ("funds",), ("deadletters", "list"), *also):
            before = self.owners()
            done = self.as_nobody(*words, "--log", self.log)
            self.assertEqual(done.returncode, 0, (words, done.stderr))
            self.assertEqual(self.owners(), before)
        self.assertIn("cart c1: active", self.as_nobody("inspect", "c1", "--log", self.log).stdout)

    def test_who_may_only_read_reads_a_log_that_is_served_at_rest_or_left_behind(self):
        engine = self.served_with_carts("c1")
        self.check_refused(self.as_nobody("tail", "--log", self.log), 2, "may not read it", "chmod g+r")
        self.let_others_read()
        self.read_all()
        self.check_refused(self.as_nobody("send", "cart.create", "c2", "currency=GBP", "--log", self.log), 2)
        self.kill(engine)
        self.read_all(("replay", "verify"))
        self.stop(self.serve())
        self.read_all(("replay", "verify"))
        engine = self.serve()
        self.send("c2")
        self.wait_for_cart("c2")
        self.stop(engine)

    def test_who_may_write_into_the_folder_too_makes_no_file_that_locks_the_engine_out(self):
        os.chmod(self.folder, 0o777)
        self.stop(self.served_with_carts("c1"))
        self.let_others_read()
        for part in PARTS[1:]:
            os.remove(f"{self.path}{part}")
        done = self.as_nobody("tail", "--log", self.log)
        self.check_refused(done, 2, "only its owner can open it now")
        self.assertEqual(set(self.owners().values()), {0})
        self.serve()

    def test_what_root_leaves_in_another_users_folder_is_that_users(self):
        os.chown(self.folder, NOBODY, NOBODY)
        self.stop(self.served_with_carts("c1"))
        self.assertEqual({uid for name, uid in self.owners().items() if name.startswith("shop.db")}, {NOBODY})
        engine = subprocess.Popen([self.mayfly, "serve", "--log", self.log, "--http", "off"], stderr=subprocess.PIPE, text=True,
                                  user=NOBODY, group=NOBODY, extra_groups=[])
        self.addCleanup(engine.stderr.close)
        self.addCleanup(engine.wait)
        self.addCleanup(lambda: engine.poll() is None and engine.kill())
        self.assertTrue(any('"name":"ready"' in line for line in engine.stderr))
        self.stop(engine)

    def test_another_user_cannot_hold_the_lock(self):
        self.stop(self.serve())
        with self.assertRaises(subprocess.CalledProcessError):
            subprocess.run(["flock", "-n", f"{self.path}.lock", "true"], user=NOBODY, group=NOBODY, extra_groups=[], check=True, capture_output=True)
        os.chmod(f"{self.path}.lock", 0o666)  # as an older Mayfly left it
        self.stop(self.serve())
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.path}.lock").st_mode), 0o600)

    def test_a_lock_or_flight_recorder_that_another_user_planted_is_not_used(self):
        for name in ("shop.db.lock", "shop.db.flight"):
            planted = self.folder / name
            planted.write_text("")
            planted.chmod(0o666)
            os.chown(planted, NOBODY, NOBODY)
            with open(planted, "rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                self.check_refused(run("serve", "--log", self.log, "--http", "off"), 2, name, f"belongs to user {NOBODY}", "Remove it")
            planted.unlink()


if __name__ == "__main__":
    unittest.main()
