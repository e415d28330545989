"""Who may read what: each role tried with a user of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from landing import ALIAS, NOON, ORDER, land_some_mail, land_some_orders, let_pass, mail, order
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from amazon_support import settings, tickets
from amazon_support.settings.retention import Retention
from amazon_support.tickets import actions
from amazon_support.warehouse import engine, land, run_step
from amazon_support.warehouse.roles import ROLES, make_roles
from amazon_support.warehouse.upkeep import keep_up

SETTINGS = settings.load()


@pytest.fixture(scope="module")
def shared(module_warehouse: Engine) -> Engine:
    """A warehouse with a ticket and its order, the roles, and a user of each."""
    with module_warehouse.begin() as connection:
        make_roles(connection)
        make_roles(connection)  # repeating it changes nothing
        work(connection)
        for role in ROLES:
            connection.execute(text(f"drop role if exists {role}_user"))
            connection.execute(text(f"create role {role}_user login in role {role}"))
    return module_warehouse


def work(connection: Connection, name: str = "question") -> None:
    """What the hourly job does with an order and a mail."""
    land_some_orders(connection, order())
    land_some_mail(connection, mail(name, order_ids=[ORDER], buyer_alias=ALIAS, buyer_name="Mia Muster"))
    let_pass(connection)
    for dataset in ("orders", "mail"):
        land.PUBLISH[dataset](connection, SETTINGS)
    tickets.fold(connection, SETTINGS.policy)


@contextmanager
def signed_in(warehouse: Engine, role: str) -> Iterator[Connection]:
    bound = engine(make_url(warehouse.url).set(username=f"{role}_user").render_as_string(hide_password=False))
    with bound.connect() as connection:
        assert connection.execute(text("select current_user")).scalar_one() == f"{role}_user"
        yield connection
    bound.dispose()


def relations(connection: Connection, schema: str) -> list[str]:
    query = (
        "select format('%I.%I', table_schema, table_name) from information_schema.tables where table_schema = :schema"
    )
    return list(connection.execute(text(query), {"schema": schema}).scalars())


def test_bi_users_read_every_answer(shared: Engine) -> None:
    with shared.connect() as owner, signed_in(shared, "support_reader") as reader:
        answers = relations(owner, "mart") + relations(owner, "core")
        assert "mart.ticket" in answers and "mart.feedback" in answers
        for answer in answers:
            reader.execute(text(f"select * from {answer} limit 1"))
        assert reader.execute(text("select count(*) from mart.ticket")).scalar_one() == 1


@pytest.mark.parametrize("schema", ["pii", "raw", "ops"])
def test_bi_users_read_nothing_else(shared: Engine, schema: str) -> None:
    with shared.connect() as owner, signed_in(shared, "support_reader") as reader:
        for relation in relations(owner, schema):
            with pytest.raises(ProgrammingError, match="permission denied"):
                reader.execute(text(f"select 1 from {relation}"))
            reader.rollback()


@pytest.mark.parametrize("deed", ["delete from mart.ticket", "create table mart.mine ()", "select * from pii.mail"])
def test_bi_users_change_nothing(shared: Engine, deed: str) -> None:
    with signed_in(shared, "support_reader") as reader, pytest.raises(ProgrammingError, match="permission denied"):
        reader.execute(text(deed))


def test_bi_users_read_answers_of_later_versions_but_no_later_personal_data(shared: Engine) -> None:
    with shared.begin() as owner:
        owner.execute(text("create table mart.later as select 1 as one"))
        owner.execute(text("create table pii.later as select 1 as one"))
    with signed_in(shared, "support_reader") as reader:
        assert reader.execute(text("select one from mart.later")).scalar_one() == 1
        with pytest.raises(ProgrammingError, match="permission denied"):
            reader.execute(text("select one from pii.later"))


def test_the_pages_read_words_and_act(shared: Engine) -> None:
    with signed_in(shared, "support_pages") as pages:
        assert pages.execute(text("select body from pii.mail")).scalar_one() == "Wo ist meine Teekanne?"
        asked = {"account": "main", "ticket_id": f"DE:order:{ORDER}", "as_of": NOON}
        ticket = dict(run_step(pages, "tickets/show_ticket.sql", asked).mappings().one())
        note = actions.Action("note", "one", "ana", words="Called the carrier.")
        actions.act(pages, SETTINGS, ticket, note, at=NOON)
        assert pages.execute(text("select body from pii.ticket_event_text")).scalar_one() == "Called the carrier."


@pytest.mark.parametrize(
    "deed",
    ["delete from raw.order_received", "update pii.order_contact set buyer_name = ''", "truncate core.ticket_event",
     "drop table mart.ticket"],
)  # fmt: skip
def test_the_pages_change_nothing_of_what_sources_brought(shared: Engine, deed: str) -> None:
    with (
        signed_in(shared, "support_pages") as pages,
        pytest.raises(ProgrammingError, match="permission denied|must be"),
    ):
        pages.execute(text(deed))


def test_workers_do_the_hourly_job_and_rebuild_all_answers(shared: Engine) -> None:
    with signed_in(shared, "support_writer") as writer:
        work(writer, "another question")
        run_step(writer, "tickets/touch_all.sql")
        tickets.fold(writer, SETTINGS.policy)
        assert writer.execute(text("select event_count from mart.ticket")).scalar_one() == 2


def test_workers_make_room_for_the_months_to_come_though_they_may_change_no_table(shared: Engine) -> None:
    with signed_in(shared, "support_writer") as writer:
        assert keep_up(writer.engine, Retention(), as_of=NOON).months_made == 3
    months = "select mart.keep_worklist_months(now(), now())"
    for role in ("support_reader", "support_pages"):
        with signed_in(shared, role) as other, pytest.raises(ProgrammingError, match="permission denied"):
            other.execute(text(months))


def test_workers_cannot_change_the_schema(shared: Engine) -> None:
    with signed_in(shared, "support_writer") as writer, pytest.raises(ProgrammingError, match="must be owner"):
        writer.execute(text("drop table pii.mail"))
