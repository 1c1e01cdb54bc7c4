"""The embedded PostgreSQL: started once, found again, and none the worse for a crash."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from chitfund.embedded import postgres
from chitfund.embedded.home import LONGEST_SOCKET_FOLDER, find_home, records_of
from chitfund.embedded.postgres import APP, DATABASE, OWNER, QUEUE, Cluster, EmbeddedPostgresError

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("office")
    yield folder
    discard(folder)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    yield postgres.ensure_running(folder, durable=False)
    discard(folder)


def discard(folder: Path) -> None:
    """Stop a server and remove its data, which root's test folders cannot hold."""
    postgres.stop(folder, mode="immediate")
    if home := find_home(folder):
        shutil.rmtree(home.folder)
        shutil.rmtree(home.socket_dir, ignore_errors=True)


def start(folder: Path) -> Cluster:
    return postgres.ensure_running(folder, durable=False)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def server_pid(folder: Path) -> int:
    home = find_home(folder)
    assert home is not None
    return int((home.data / "postmaster.pid").read_text().split()[0])


def test_a_second_start_finds_the_first(data_dir):
    first = start(data_dir)
    pid = server_pid(data_dir)
    second = start(data_dir)

    assert (first.started, second.started) == (True, False)
    assert second.url() == first.url()
    assert server_pid(data_dir) == pid


def test_data_port_and_passwords_are_kept_over_a_stop(data_dir):
    first = start(data_dir)
    with psycopg.connect(first.url(OWNER), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.stop(data_dir)
    assert postgres.find_running(data_dir) is None

    second = start(data_dir)
    assert second.url() == first.url()
    assert ask(second.url(), "SELECT answer FROM kept") == 42


def test_a_server_left_by_a_killed_process_is_used_again(data_dir):
    script = f"""
import os, signal
from pathlib import Path
from chitfund.embedded.launch import lend_embedded_server
lend_embedded_server(Path({str(data_dir)!r}), os.environ, durable=False)
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False)
    pid = server_pid(data_dir)
    os.kill(pid, 0)

    assert not start(data_dir).started
    assert server_pid(data_dir) == pid


def test_a_server_that_was_killed_is_started_again(data_dir):
    start(data_dir)
    os.kill(server_pid(data_dir), signal.SIGKILL)

    again = start(data_dir)
    assert again.started
    assert ask(again.url(), "SELECT 1") == 1


def test_a_pid_file_that_names_a_stranger_is_discarded(data_dir):
    home = start(data_dir).home
    pid_file = home.data / "postmaster.pid"
    content = pid_file.read_text()
    postgres.stop(data_dir)
    # After a restart of the machine the number may be anybody's; here it is this test's.
    pid_file.write_text(content.replace(content.split()[0], str(os.getpid()), 1))
    home.account.own(pid_file)

    assert start(data_dir).started


def test_a_port_taken_meanwhile_is_exchanged(data_dir):
    first = start(data_dir)
    postgres.stop(data_dir)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first.port))
        squatter.listen()
        second = start(data_dir)

    assert second.port != first.port
    assert ask(second.url(), "SELECT 1") == 1


def test_starts_at_the_same_moment_make_one_server(data_dir):
    with ThreadPoolExecutor(4) as pool:
        clusters = list(pool.map(start, [data_dir] * 4))

    assert sum(each.started for each in clusters) == 1
    assert len({each.url() for each in clusters}) == 1


def test_two_data_folders_are_two_servers(data_dir, cluster):
    other = start(data_dir)
    assert other.port != cluster.port
    assert other.home.passwords[APP] != cluster.home.passwords[APP]


def test_a_deep_data_folder_gets_its_socket_elsewhere(data_dir):
    deep = data_dir / ("a" * 60) / ("b" * 60)
    cluster = start(deep)
    try:
        assert len(cluster.socket_dir) <= LONGEST_SOCKET_FOLDER
        assert ask(cluster.url(), "SELECT 1") == 1
        # The system may sweep such a folder away while the server is down.
        postgres.stop(deep)
        os.rmdir(cluster.socket_dir)
        assert ask(start(deep).url(), "SELECT 1") == 1
    finally:
        discard(deep)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that others may not enter")
def test_behind_a_closed_door_the_database_lives_elsewhere_and_no_door_is_opened(data_dir):
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    cluster = start(closed / "data")
    try:
        assert closed.stat().st_mode & 0o777 == 0o700
        assert not cluster.home.folder.is_relative_to(closed)
        assert ask(cluster.url(), "SELECT 1") == 1
    finally:
        discard(closed / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as somebody else")
def test_started_by_root_it_does_not_run_as_root(cluster):
    assert cluster.home.data.stat().st_uid != 0
    assert Path(f"/proc/{server_pid(cluster.home.records.parent.parent)}").stat().st_uid != 0


def test_passwords_are_for_the_owner_of_the_folder_only(cluster):
    assert cluster.home.records.stat().st_mode & 0o777 == 0o600
    wrong = cluster.url().replace(cluster.home.passwords[APP], "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_test_database_that_does_not_start_is_made_anew(data_dir):
    home = start(data_dir).home
    postgres.stop(data_dir)
    (home.data / "global" / "pg_control").write_bytes(b"torn")

    assert ask(start(data_dir).url(), "SELECT 1") == 1


def test_tests_keep_out_of_an_office(data_dir):
    postgres.ensure_running(data_dir)
    with pytest.raises(EmbeddedPostgresError, match="is an office's"):
        start(data_dir)


def test_data_of_another_version_is_refused_with_what_to_do(data_dir):
    home = postgres.ensure_running(data_dir).home
    postgres.stop(data_dir)
    version = home.data / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 12"):
        postgres.ensure_running(data_dir)
    version.write_text(made_by)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "on"),
        ("max_connections", "200"),
        ("log_error_verbosity", "terse"),
        ("log_min_error_statement", "panic"),
        ("log_parameter_max_length_on_error", "0"),
        ("listen_addresses", "127.0.0.1"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_the_server_is_set_up_as_promised(cluster, setting, value):
    assert ask(cluster.url(), f"SHOW {setting}") == value


def test_only_tests_go_without_fsync(cluster, data_dir):
    durable = postgres.ensure_running(data_dir)
    assert ask(durable.url(), "SHOW fsync") == "on"
    assert ask(cluster.url(), "SHOW fsync") == "off"


def test_the_log_does_not_repeat_a_row(cluster):
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as connection:
        connection.execute("CREATE TABLE secretive (pan text UNIQUE)")
        connection.execute("INSERT INTO secretive VALUES ('ABCDE1234F')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO secretive VALUES (%s)", ["ABCDE1234F"])
    log = cluster.home.log.read_text()
    assert "duplicate key" in log
    assert "ABCDE1234F" not in log


def test_the_runtime_role_reads_and_writes_rows_and_no_more(cluster):
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as owner:
        owner.execute("CREATE TABLE till (id int GENERATED ALWAYS AS IDENTITY, amount int)")
    with psycopg.connect(cluster.url(), autocommit=True) as app:
        app.execute("INSERT INTO till (amount) VALUES (1)")
        app.execute("UPDATE till SET amount = 2")
        app.execute("DELETE FROM till")
        for refused in (
            "CREATE TABLE mine (id int)",
            "ALTER TABLE till ADD COLUMN x int",
            "DROP TABLE till",
            "TRUNCATE till",
            "ALTER TABLE till DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
            "CREATE DATABASE mine",
            "SET ROLE chitfund_owner",
        ):
            with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
                app.execute(refused.encode())


def test_the_queue_has_a_role_and_a_database_of_its_own(cluster):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(cluster.url(QUEUE, DATABASE))
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(cluster.url(APP, QUEUE))
    assert ask(cluster.url(QUEUE, QUEUE), "SELECT count(*) FROM pgmq.list_queues()") == 0
    assert urlsplit(cluster.queue_url()).hostname == "127.0.0.1"


def test_a_scratch_database_has_the_same_grants_and_goes_again(cluster):
    url = cluster.create_database("scratch")
    with psycopg.connect(cluster.url(OWNER, "scratch"), autocommit=True) as owner:
        owner.execute("CREATE TABLE till (amount int)")
    with psycopg.connect(url, autocommit=True) as app:
        app.execute("INSERT INTO till VALUES (1)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (id int)")
        # A session left in it does not keep it.
        cluster.drop_database("scratch")
    cluster.drop_database("scratch")


LENDER = """
import os, sys
from pathlib import Path
from chitfund.embedded.launch import lend_embedded_server
lend_embedded_server(Path(sys.argv[1]), os.environ, durable=False)
print("ready", flush=True)
sys.stdin.readline()
"""


def lend(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LENDER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_the_last_user_to_leave_stops_the_server(data_dir):
    first, second = lend(data_dir), lend(data_dir)
    first.communicate("\n")
    assert postgres.find_running(data_dir) is not None  # the second still works
    second.communicate("\n")
    assert postgres.find_running(data_dir) is None


def test_a_killed_user_does_not_keep_the_server_running(data_dir):
    first, second = lend(data_dir), lend(data_dir)
    first.kill()
    first.communicate()
    second.communicate("\n")
    assert postgres.find_running(data_dir) is None


def test_a_stop_is_quick(data_dir):
    start(data_dir)
    began = time.monotonic()
    postgres.stop(data_dir)
    assert time.monotonic() - began < 5
    assert records_of(data_dir).exists()
