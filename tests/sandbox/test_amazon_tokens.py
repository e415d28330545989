"""Login with Amazon: who gets an access token, and how long it opens the API."""

from collections.abc import Iterator

import pytest
from amazon_builders import ORDERS, Caller, problem, running, seller, world


@pytest.fixture
def amazon() -> Iterator[Caller]:
    with running(world(sellers=(seller(), seller("na")))) as caller:
        yield caller


def search(amazon: Caller) -> tuple[int, str]:
    answer = amazon.get(ORDERS, createdAfter="2026-01-01T00:00:00Z")
    return (200, "") if answer.status_code == 200 else problem(answer)


def test_a_refresh_token_buys_an_access_token_for_an_hour(amazon: Caller) -> None:
    answer = amazon.authorize()
    assert answer.status_code == 200
    assert {k: answer.json()[k] for k in ("token_type", "expires_in")} == {"token_type": "bearer", "expires_in": 3600}
    assert answer.json()["access_token"].startswith("Atza|")
    amazon.clock.forward(minutes=59)
    assert search(amazon) == (200, "")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "another"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|revoked"}, 400, "invalid_grant"),
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused(amazon: Caller, changes: dict[str, str], status: int, error: str) -> None:
    answer = amazon.authorize(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]


def test_after_an_hour_the_token_is_refused(amazon: Caller) -> None:
    amazon.authorize()
    amazon.clock.forward(hours=1)
    assert search(amazon) == (403, "Unauthorized")
    amazon.authorize()
    assert search(amazon) == (200, "")


@pytest.mark.parametrize("token", ["", "Atza|invented", "nonsense"])
def test_a_missing_or_forged_token_is_refused(amazon: Caller, token: str) -> None:
    amazon.access_token = token
    assert search(amazon) == (403, "Unauthorized")


def test_a_token_outlives_a_restart_because_clients_cache_it(amazon: Caller) -> None:
    amazon.authorize()
    with running(world(sellers=(seller(), seller("na")))) as restarted:
        restarted.access_token = amazon.access_token
        assert search(restarted) == (200, "")
