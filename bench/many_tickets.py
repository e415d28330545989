"""A warehouse as a busy agency's after two years: tickets with all that hangs on them, written set by set in SQL.

Invented, but of the shape that the pipeline itself would leave: five accounts, twenty marketplaces, 200 agents, 6,850
tickets a day, so that five million are two years of them and fewer tickets are a shorter history of the same business:
about 40,000 are not done. Personal data is there for the last 120 days only, as the rest is forgotten.
"""

# ruff: noqa: E501
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from amazon_support.warehouse.bulk_write import without_indexes

ACCOUNTS = tuple(f"shop_{number}" for number in range(1, 6))
# One slot for each five agents: busy marketplaces have more of them.
SLOTS = (
    *("US",) * 9, *("DE",) * 5, *("UK",) * 5, *("FR",) * 3, *("IT",) * 2, *("ES",) * 2,
    "CA", "MX", "JP", "AU", "NL", "SE", "PL", "BE", "IE", "TR", "AE", "SA", "BR", "SG",
)  # fmt: skip
A_DAY = 6_850
AGENTS = tuple(f"Agent {number:03}" for number in range(1, 5 * len(SLOTS) + 1))
LONG_EVENTS = 1_000
LONG_TICKETS = tuple(f"US:order:999-0000000-000000{number}" for number in range(1, 4))


def marketplaces_of(agent: int) -> list[str]:
    """Of the agent with that place in AGENTS."""
    return [SLOTS[agent % len(SLOTS)]]


def invent_tickets(
    bound: Engine,
    many: int,
    *,
    until: datetime,
    a_day: int = A_DAY,
    hours: int = 1,
    progress: Callable[[str], None] = lambda step: None,
) -> None:
    """Fills an empty, migrated warehouse with `many` tickets up to `until`, and with statistics.

    Args:
        a_day: how many a day. hours: between batches, calls, messages and health reports, which are as many.
    """
    given = {
        "many": many,
        "a_day": a_day,
        "until": until,
        "days": many / a_day,
        "hours": hours,
        "accounts": list(ACCOUNTS),
        "slots": list(SLOTS),
    }
    with bound.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in (*HASTE, TEXTS, TICKETS.format(chance=_Chance())):
            connection.exec_driver_sql(statement, given)
        for tables, statements in STEPS:
            progress(", ".join(tables) or "the rest")
            with bound.begin() as writing, without_indexes(writing, tables):
                for statement in (*HASTE, *statements):
                    writing.exec_driver_sql(statement, given)
        progress("statistics")
        for statement in ("drop table invented, invented_text", "vacuum (analyze)"):
            connection.exec_driver_sql(statement)


def invent_long_tickets(connection: Connection, until: datetime) -> None:
    """LONG_TICKETS, of LONG_EVENTS messages each, the last an hour before `until`."""
    given = {"long": list(LONG_TICKETS), "each": LONG_EVENTS, "until": until}
    for statement in LONG:
        connection.exec_driver_sql(statement, given)


class _Chance:
    """{chance[3]}: a whole number from 0 on that a ticket's number t draws with the salt 3, the same each time."""

    def __getitem__(self, salt: str | int) -> str:
        return f"(hashint8extended(t, {salt}) & 1073741823)"


HASTE = ("set synchronous_commit = off", "set maintenance_work_mem = '1GB'", "set work_mem = '256MB'")
TEXTS = """
create unlogged table invented_text as
select
    n,
    string_agg('word' || round(power(mod(hashint8(n * 100 + place)::bigint + 2147483648, 100000) / 100000.0, 3) * 4000)::int, ' ') as words
from generate_series(0, 1999) as n, generate_series(1, 45) as place
where place <= 15 + mod(n, 30)
group by n
"""

TICKETS = """
create unlogged table invented as
-- Materialized: put into one another, these steps' expressions would grow beyond measure.
with numbered as (
    select
        t,
        case when t > %(many)s / 10 and mod({chance[1]}, 100) < 3 then t - %(many)s / 10 else t end as o,
        %(until)s::timestamptz - make_interval(secs => 86400.0 * (%(many)s - t) / %(a_day)s) as created_at,
        86400.0 * (%(many)s - t) / %(a_day)s as age
    from generate_series(1, %(many)s) as t
),

bought as materialized (
    select
        *,
        case
            when mod(o, 10000) = 0 then 1
            else 1 + mod(hashint8extended(o, 2) & 1073741823, (%(many)s * 0.6)::bigint)
        end as b
    from numbered
),

drawn as materialized (
    select
        *,
        mod(hashint8extended(b, 3) & 1073741823, 40)::int as slot,
        (array[1, 1, 1, 1, 2, 2, 2, 3, 4, 5])[1 + mod(hashint8extended(b, 4) & 1073741823, 10)] as shop,
        mod({chance[5]}, 1000) as kind,
        mod({chance[6]}, 100) as x,
        mod({chance[7]}, 1000) as y,
        mod({chance[8]}, 7200) as z,
        mod({chance[9]}, 5) as seat,
        mod({chance[10]}, 100) as w
    from bought
),

fated as materialized (
    select
        t, o, b, slot, created_at, age, w, z, y,
        (%(accounts)s::text[])[shop] as account,
        (%(slots)s::text[])[slot + 1] as marketplace,
        'Agent ' || to_char(slot + 1 + 40 * seat, 'FM000') as agent,
        case
            when o <> t then 'contact_buyer'
            when kind < 620 then 'contact_buyer'
            when kind < 720 then 'product_question'
            when kind < 820 then 'return_request'
            when kind < 860 then 'cancellation'
            when kind < 890 then 'refund'
            when kind < 900 then 'a_to_z_claim'
            when kind < 920 then 'negative_feedback'
            when kind < 925 then 'neutral_feedback'
            when kind < 945 then 'case_update'
            when kind < 948 then 'performance_notification'
            when kind < 980 then 'unknown_mail'
            else 'system_message'
        end as ticket_type,
        case
            when age < 108000 then case when x < 45 then 'new' when x < 90 then 'open' else 'pending' end
            when age < 604800 then case
                when x < 25 then 'again' when x < 33 then 'hold' when x < 80 then 'pending' else 'solved'
            end
            when x < 60 then 'solved'
            else 'silent'
        end as fate,
        case
            when y < 400 then z
            when y < 750 then 7200 + 3 * z
            when y < 940 then 28800 + 8 * z
            else 86400 + 12 * z
        end as wait
    from drawn
),

answered as materialized (
    select
        *,
        ticket_type in (
            'contact_buyer', 'return_request', 'cancellation', 'refund', 'a_to_z_claim', 'negative_feedback',
            'neutral_feedback'
        ) as has_order,
        case when fate = 'open' or (fate <> 'new' and w < 60) then created_at + make_interval(secs => least(wait, 0.6 * age) * 0.3) end
            as assigned_at,
        case when fate not in ('new', 'open') then created_at + make_interval(secs => least(wait, 0.6 * age)) end as replied_at
    from fated
),

asked_again as materialized (
    select
        *,
        case
            when fate = 'again' then greatest(replied_at + interval '10 minutes', %(until)s::timestamptz - make_interval(secs => 10 * z))
            when fate in ('solved', 'silent') and age > 604800 and mod(w, 20) < 3 then replied_at + interval '5 hours'
        end as again_at,
        case when fate = 'hold' then replied_at + interval '1 hour' end as held_at
    from answered
),

replied_again as materialized (
    select
        *,
        case when again_at is not null and fate <> 'again' then again_at + make_interval(secs => wait / 2.0) end as replied_again_at
    from asked_again
),

solved as materialized (
    select
        *,
        case when fate = 'solved' then coalesce(replied_again_at, replied_at) + interval '5 minutes' end as solved_at,
        case when fate in ('silent', 'pending') then coalesce(replied_again_at, replied_at) + interval '7 days' end as silent_at
    from replied_again
),

keyed as materialized (
    select
        *,
        case when has_order then
            to_char(300 + mod(o, 99), 'FM000') || '-' || to_char(mod(o * 7919::bigint, 10000000), 'FM0000000') || '-' || to_char(o, 'FM0000000')
        end as order_id,
        case when ticket_type = 'case_update' then to_char(t + 10000000000, 'FM00000000000') end as case_id,
        case when ticket_type not in ('case_update', 'performance_notification', 'unknown_mail', 'system_message')
            then md5('buyer' || b) end as buyer_ref,
        coalesce(solved_at, silent_at) as done_at,
        coalesce(solved_at, silent_at) + interval '28 days' as closed_at
    from solved
)

select
    t, b, account, marketplace, agent, slot, ticket_type, fate, order_id, case_id, buyer_ref, o <> t as is_follow_up,
    created_at, assigned_at, replied_at, again_at, replied_again_at, held_at, solved_at, silent_at, done_at, closed_at,
    case
        when order_id is not null then marketplace || ':order:' || order_id
        when case_id is not null then marketplace || ':case:' || case_id
        when buyer_ref is not null then marketplace || ':buyer:' || buyer_ref || t
        else '-:mail:' || left(md5('mail' || t), 16)
    end as ticket_key,
    case ticket_type when 'case_update' then 'case_follow_up' when 'unknown_mail' then 'mail_decision' else 'amazon_reply' end as metric,
    case ticket_type when 'case_update' then 48 when 'unknown_mail' then 48 else 24 end as hours
from keyed
"""

ID = "ticket_key || case when is_follow_up then '#2' else '' end"
TICKET = f"""
insert into mart.ticket (
    account, ticket_id, ticket_key, generation, follow_up_of, marketplace, ticket_type, order_id, case_id, buyer_ref,
    created_at, last_event_at, event_count, order_match
)
select
    account, {ID}, ticket_key, 1 + is_follow_up::int, case when is_follow_up then ticket_key end, marketplace,
    ticket_type, order_id, case_id, buyer_ref, created_at,
    greatest(created_at, assigned_at, replied_at, again_at, replied_again_at, held_at, solved_at),
    num_nonnulls(created_at, assigned_at, replied_at, again_at, replied_again_at, held_at, solved_at),
    case when order_id is null then 'none' else 'explicit' end
from invented
"""
LONG_TICKET = """
insert into mart.ticket (
    account, ticket_id, ticket_key, generation, marketplace, ticket_type, order_id, created_at, last_event_at,
    event_count, order_match, buyer_ref
)
select
    'shop_1', key, key, 1, 'US', 'contact_buyer', substr(key, 10), %(until)s::timestamptz - interval '1001 hours',
    %(until)s::timestamptz - interval '1 hour', %(each)s, 'explicit', md5('buyer1')
from unnest(%(long)s::text[]) as key
"""
STATUS = f"""
insert into mart.ticket_status (
    account, ticket_id, ticket_key, status, from_at, until_at, cause, marketplace, ticket_type
)
select
    account, {ID}, ticket_key, period.status, period.from_at, coalesce(period.until_at, 'infinity'), period.cause,
    marketplace, ticket_type
from invented
cross join lateral (
    values
    ('new', created_at, coalesce(assigned_at, replied_at), 'buyer_message'),
    ('open', assigned_at, replied_at, 'assign'),
    ('pending', replied_at, coalesce(again_at, held_at, solved_at, silent_at), 'reply'),
    ('open', again_at, replied_again_at, 'buyer_message'),
    ('pending', replied_again_at, coalesce(solved_at, silent_at), 'reply'),
    ('on_hold', held_at, null, 'hold'),
    ('solved', done_at, closed_at, case when solved_at is null then 'auto_solve' else 'solve' end),
    ('closed', closed_at, null, 'auto_close')
) as period (status, from_at, until_at, cause)
where period.from_at is not null and period.from_at < coalesce(period.until_at, 'infinity')
"""
LONG_STATUS = """
insert into mart.ticket_status (
    account, ticket_id, ticket_key, status, from_at, until_at, cause, marketplace, ticket_type
)
select
    'shop_1', key, key, case when mod(n, 2) = 1 then 'open' else 'pending' end,
    %(until)s::timestamptz - make_interval(hours => 1001 - n),
    case when n < %(each)s then %(until)s::timestamptz - make_interval(hours => 1000 - n) else 'infinity' end,
    case when mod(n, 2) = 1 then 'buyer_message' else 'reply' end, 'US', 'contact_buyer'
from unnest(%(long)s::text[]) as key, generate_series(1, %(each)s) as n
"""
CLOCK = f"""
insert into mart.sla_clock (
    account, ticket_id, ticket_key, metric, cycle, started_at, warn_at, due_at, stopped_at, stopped_by, target_seconds,
    warn_before_seconds, elapsed_seconds, breached_at
)
select
    account, {ID}, ticket_key, clock.metric, clock.cycle, clock.started_at,
    clock.started_at + make_interval(hours => clock.hours - 4), clock.started_at + make_interval(hours => clock.hours),
    clock.stopped_at, case when clock.stopped_at is not null then 'reply' end, clock.hours * 3600, 14400,
    extract(epoch from clock.stopped_at - clock.started_at),
    case when clock.stopped_at is null or clock.stopped_at > clock.started_at + make_interval(hours => clock.hours)
        then clock.started_at + make_interval(hours => clock.hours) end
from invented
cross join lateral (
    values
    (metric, 1, created_at, replied_at, hours),
    ('team', 1, case when hours = 24 then created_at end, replied_at, 24),
    ('amazon_reply', 2, case when hours = 24 then again_at end, replied_again_at, 24),
    ('team', 2, case when hours = 24 then again_at end, replied_again_at, 24),
    ('stakeholder_follow_up', 1, held_at, null, 48)
) as clock (metric, cycle, started_at, stopped_at, hours)
where clock.started_at is not null and ticket_type <> 'system_message'
"""
LONG_CLOCK = """
insert into mart.sla_clock (
    account, ticket_id, ticket_key, metric, cycle, started_at, warn_at, due_at, stopped_at, stopped_by, target_seconds,
    warn_before_seconds, elapsed_seconds
)
select
    'shop_1', key, key, metric, n, %(until)s::timestamptz - make_interval(hours => 1002 - 2 * n),
    %(until)s::timestamptz - make_interval(hours => 982 - 2 * n),
    %(until)s::timestamptz - make_interval(hours => 978 - 2 * n),
    %(until)s::timestamptz - make_interval(hours => 1001 - 2 * n), 'reply', 86400, 14400, 3600
from unnest(%(long)s::text[]) as key, unnest(array['amazon_reply', 'team']) as metric, generate_series(1, %(each)s / 2) as n
"""
EVENT = """
insert into core.ticket_event (
    account, source, source_id, ticket_key, marketplace, kind, ticket_type, occurred_at, source_order, actor, order_id,
    case_id, buyer_ref, detail
)
select
    account, event.source, coalesce(md5('mail' || t || event.mail), t || event.kind), ticket_key, marketplace, event.kind,
    event.ticket_type, event.occurred_at, 0, event.actor, order_id, case_id, buyer_ref,
    case event.kind
        when 'assign' then jsonb_build_object('agent', agent, 'rule', 'marketplace', 'team', 'support')
        when 'hold' then '{"stakeholder": "Warehouse"}'::jsonb
        when 'solve' then '{}'::jsonb
        else case when order_id is null then '{"match": "none", "mail_kind": "buyer_message"}'::jsonb
            else '{"match": "explicit", "mail_kind": "buyer_message"}'::jsonb end
    end
from invented
cross join lateral (
    values
    ('mail', 1, case ticket_type
        when 'contact_buyer' then 'buyer_message' when 'product_question' then 'buyer_message' else 'notice'
    end, ticket_type, created_at, 'buyer'),
    ('rules', null, 'assign', null, assigned_at, 'rules'),
    ('mail', 2, 'reply', null, replied_at, agent),
    ('mail', 3, 'buyer_message', null, again_at, 'buyer'),
    ('mail', 4, 'reply', null, replied_again_at, agent),
    ('page', null, 'hold', null, held_at, agent),
    ('page', null, 'solve', null, solved_at, agent)
) as event (source, mail, kind, ticket_type, occurred_at, actor)
where event.occurred_at is not null
"""
LONG_EVENT = """
insert into core.ticket_event (
    account, source, source_id, ticket_key, marketplace, kind, occurred_at, actor, order_id, buyer_ref
)
select
    'shop_1', 'mail', md5('mail' || key || n), key, 'US', case when mod(n, 2) = 1 then 'buyer_message' else 'reply' end,
    %(until)s::timestamptz - make_interval(hours => 1001 - n),
    case when mod(n, 2) = 1 then 'buyer' else 'Agent 001' end, substr(key, 10), md5('buyer1')
from unnest(%(long)s::text[]) as key, generate_series(1, %(each)s) as n
"""
MAIL = """
insert into core.mail (
    account, mail_id, mailbox, folder, kind, confidence, signals, direction, marketplace, order_ids, case_id, buyer_ref,
    language, sent_at, received_at, attachment_count, ticket_key, archived_as, batch_id
)
select
    account, md5('mail' || t || mail.number), 'imap_' || account, 'INBOX', mail.kind, 1, '{sender}', mail.direction,
    marketplace, case when order_id is null then '{}'::text[] else array[order_id] end, case_id, buyer_ref, 'en',
    mail.sent_at, mail.sent_at, case when mod(t, 9) = 0 then 1 else 0 end, ticket_key, 'mail/' || t, t / 300
from invented
cross join lateral (
    values
    (1, case ticket_type
        when 'return_request' then 'return_request' when 'refund' then 'refund_notice' when 'unknown_mail' then 'unknown'
        when 'case_update' then 'case_update' when 'cancellation' then 'cancellation_request' else 'buyer_message'
    end, 'in', created_at),
    (2, 'reply_copy', 'out', replied_at), (3, 'buyer_message', 'in', again_at), (4, 'reply_copy', 'out', replied_again_at)
) as mail (number, kind, direction, sent_at)
where mail.sent_at is not null
"""
LONG_MAIL = """
insert into core.mail (
    account, mail_id, mailbox, folder, kind, confidence, signals, direction, marketplace, order_ids, buyer_ref,
    language, sent_at, received_at, attachment_count, ticket_key, archived_as, batch_id
)
select
    'shop_1', md5('mail' || key || n), 'imap_shop_1', 'INBOX', case when mod(n, 2) = 1 then 'buyer_message' else 'reply_copy' end,
    1, '{sender}', case when mod(n, 2) = 1 then 'in' else 'out' end, 'US', array[substr(key, 10)], md5('buyer1'), 'en',
    %(until)s::timestamptz - make_interval(hours => 1001 - n), %(until)s::timestamptz - make_interval(hours => 1001 - n),
    0, key, 'mail/x', 1
from unnest(%(long)s::text[]) as key, generate_series(1, %(each)s) as n
"""
WORDS = """
insert into pii.mail (account, mail_id, message_id, subject, buyer_name, buyer_name_key, buyer_alias, body, attachments)
select
    account, md5('mail' || t || mail.number), '<' || t || '-' || mail.number || '@example.com>',
    'Your question about order ' || coalesce(order_id, 'none'), 'Buyer ' || b, 'buyer ' || b,
    'b' || b || '@marketplace.amazon.example', words || ' ' || coalesce(order_id, '') || ' id' || t, '[]'
from invented
inner join invented_text on invented_text.n = mod(invented.t, 2000)
cross join lateral (values (1, created_at), (2, replied_at), (3, again_at), (4, replied_again_at)) as mail (number, sent_at)
where mail.sent_at > %(until)s::timestamptz - interval '120 days'
"""
LONG_WORDS = """
insert into pii.mail (account, mail_id, subject, buyer_name, buyer_alias, body, attachments)
select
    'shop_1', md5('mail' || key || number), 'Your question', 'Buyer 1', 'b1@marketplace.amazon.example',
    repeat('What I wrote before was not read. ', 10), '[]'
from unnest(%(long)s::text[]) as key, generate_series(1, %(each)s) as number
"""
ORDERS = """
insert into core.amazon_order (
    account, order_id, region, marketplace, status, fulfilled_by, ship_country, ordered_at, last_updated_at, ship_by_at,
    deliver_by_at, shipped_at, total_amount, currency, is_business, is_prime
)
select
    account, order_id, 'eu', marketplace, 'SHIPPED', case when mod(t, 3) = 0 then 'MERCHANT' else 'AMAZON' end,
    case marketplace when 'UK' then 'GB' else marketplace end, created_at - interval '5 days', created_at - interval '3 days',
    created_at - interval '3 days', created_at, created_at - interval '4 days', 10 + mod(t, 90) + 0.99, 'EUR', false,
    mod(t, 2) = 0
from invented
where order_id is not null and not is_follow_up
"""
ITEMS = """
insert into core.amazon_order_item (
    account, order_id, position, asin, sku, title, quantity, amount, currency, item_price, tax, discount
)
select
    account, order_id, n, 'B0' || to_char(mod(t * 31 + n, 20000), 'FM00000000'), 'SKU-' || mod(t * 31 + n, 20000),
    'Tea pot of cast iron with a lid and a sieve, number ' || mod(t * 31 + n, 20000), 1, 10.99, 'EUR', 9.99, 1, 0
from invented
cross join lateral generate_series(1, case when mod(t, 4) = 0 then 2 else 1 end) as n
where order_id is not null and not is_follow_up
"""
CONTACTS = """
insert into pii.order_contact (account, order_id, buyer_name, buyer_alias, recipient, last_updated_at)
select
    account, order_id, 'Buyer ' || b, 'b' || b || '@marketplace.amazon.example',
    '{"name": "Buyer", "city": "Town"}', created_at
from invented
where order_id is not null and not is_follow_up and created_at > %(until)s::timestamptz - interval '120 days'
"""
FEEDBACK = """
insert into core.feedback (
    account, order_id, marketplace, rating, rated_on, given_by, first_seen_at, has_response, known_at, comments_key,
    response_key, batch_id, line_number
)
select
    account, order_id, marketplace, case ticket_type when 'negative_feedback' then 1 + mod(t, 2) else 3 end,
    created_at::date, created_at, created_at, false, created_at, md5(t::text), '', 1, t
from invented
where ticket_type in ('negative_feedback', 'neutral_feedback') and not is_follow_up
"""
REVIEW_REQUESTS = """
insert into core.review_request (account, order_id, requested_at, desk)
select account, order_id, created_at + interval '9 days', 'bqool_reviews' from invented
where order_id is not null and not is_follow_up
"""
CYCLES = f"""
insert into mart.compliance_cycle (
    account, ticket_id, ticket_key, metric, cycle, marketplace, desk, team, ticket_type, agent, started_at,
    waiting_until, breached_at, ended_at, is_met, is_reopened, elapsed_seconds, response_seconds
)
select
    account, {ID}, ticket_key, cycle.metric, cycle.cycle, marketplace,
    case when slot < 28 then 'bqool' else 'seller_central' end, 'support', ticket_type,
    case when cycle.ended_at is null then 'unknown' else agent end, cycle.started_at,
    coalesce(cycle.ended_at, 'infinity'),
    case when cycle.ended_at is null or cycle.ended_at > cycle.started_at + cycle.allowed
        then cycle.started_at + cycle.allowed end,
    cycle.ended_at, cycle.ended_at <= cycle.started_at + cycle.allowed,
    case when cycle.metric = 'ticket' then false end,
    extract(epoch from cycle.ended_at - cycle.started_at), extract(epoch from cycle.ended_at - cycle.started_at)
from invented
cross join lateral (
    values
    (metric, 1, created_at, replied_at, make_interval(hours => hours)),
    ('team', 1, case when hours = 24 then created_at end, replied_at, interval '24 hours'),
    ('amazon_reply', 2, case when hours = 24 then again_at end, replied_again_at, interval '24 hours'),
    ('team', 2, case when hours = 24 then again_at end, replied_again_at, interval '24 hours'),
    ('ticket', 1, created_at, done_at, interval '1000 days')
) as cycle (metric, cycle, started_at, ended_at, allowed)
where cycle.started_at is not null and ticket_type <> 'system_message'
"""
COMPLIANCE = """
insert into mart.compliance (
    period, starts_on, account, marketplace, desk, team, agent, ticket_type, metric, ended, met, breached,
    median_elapsed_seconds, reopened, backlog
)
select
    span.period, date_trunc(span.period, coalesce(ended_at, breached_at) at time zone 'UTC')::date, account, marketplace,
    desk, team, agent, ticket_type, metric, count(ended_at), count(*) filter (where is_met), count(breached_at),
    avg(elapsed_seconds), 0, 0
from mart.compliance_cycle
cross join (values ('day'), ('month')) as span (period)
where coalesce(ended_at, breached_at) < date_trunc('day', %(until)s::timestamptz)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
WORKLIST = f"""
insert into mart.worklist_item (
    as_of, agent, section, position, account, ticket_id, order_id, marketplace, desk, ticket_type, status, reason, due_at,
    seconds_left, link, order_status, fulfilled_by, total_amount, currency, items, teams, since_at, is_first
)
with items as (
    select
        invented.*,
        case
            when ticket_type in ('negative_feedback', 'neutral_feedback') then 'feedback'
            when ticket_type in ('return_request', 'cancellation', 'refund', 'a_to_z_claim') then 'claims_returns_cancellations'
            when ticket_type = 'performance_notification' then 'performance_notifications'
            when ticket_type = 'case_update' then 'cases_to_chase'
            when ticket_type = 'unknown_mail' then 'mail_to_decide'
            when fate = 'hold' then 'on_hold_to_chase'
            else 'reply_now'
        end as section,
        case fate when 'new' then 'new' when 'hold' then 'on_hold' else 'open' end as status,
        case when fate = 'again' then again_at else created_at end + make_interval(hours => hours) as due_at
    from invented
    where fate in ('new', 'open', 'again', 'hold')
)

select
    hour.as_of, holder.agent, section, row_number() over (
        partition by hour.as_of, holder.agent order by mart.section_rank(section), due_at, ticket_key
    ),
    account, {ID}, order_id, marketplace, 'bqool', ticket_type, status, 'Due in 5 h 10 min', due_at,
    extract(epoch from due_at - hour.as_of), 'https://app.bqool.com/', case when order_id is not null then 'SHIPPED' end,
    case when order_id is not null then 'AMAZON' end, 19.99, 'EUR', '1 x Tea pot of cast iron with a lid and a sieve',
    '{{support}}', created_at,
    holder.agent = min(holder.agent) over (partition by hour.as_of, account, ticket_key)
from items
cross join generate_series(%(until)s::timestamptz - interval '11 hours', %(until)s, interval '1 hour') as hour (as_of)
cross join lateral (
    select 'Agent ' || to_char(slot + 1 + 40 * n, 'FM000') as agent from generate_series(0, 4) as n
    where fate = 'new'
    union all
    select items.agent where fate <> 'new'
) as holder
"""
HEALTH = """
insert into core.account_metric (
    account, marketplace, metric, fulfilment, period_days, measured_at, unit, value, target_value, target_condition,
    target_source, status, severity, batch_id
)
select
    account, marketplace, 'metric_' || n, case when n <= 8 then case when mod(n, 2) = 0 then 'AMAZON' else 'MERCHANT' end end,
    case when n <= 8 then 30 end, day, 'rate', 0.5, 1, 'LESS_THAN', 'amazon', 'GOOD', case when n = 3 then 1 else 0 end, 1
from unnest(%(accounts)s::text[]) as account
cross join (select distinct marketplace from unnest(%(slots)s::text[]) as marketplace) as places
cross join generate_series(1, 24) as n
cross join generate_series(%(until)s::timestamptz - least(%(days)s, 60) * interval '1 day', %(until)s, greatest(24, %(hours)s) * interval '1 hour') as day
"""
BATCHES = """
insert into ops.batch (dataset, account, scope, window_start, window_end, row_count, landed_at, checked_at, published_at)
select dataset, account, 'eu', hour - interval '1 hour', hour, 100, hour, hour, hour
from unnest(%(accounts)s::text[]) as account
cross join unnest(array['orders', 'mail', 'feedback', 'desk_action']) as dataset
cross join generate_series(%(until)s::timestamptz - make_interval(days => %(days)s::int), %(until)s, %(hours)s * interval '1 hour') as hour
"""
QUARANTINE = """
insert into ops.quarantine (account, dataset, batch_id, row_key, rule, set_aside_at, settled_at, settled_as)
select
    account, dataset, batch_id, 'row ' || batch_id, 'amount_is_not_negative', landed_at,
    case when mod(batch_id, 100) > 0 then landed_at end, case when mod(batch_id, 100) > 0 then 'discarded' end
from ops.batch
"""
OUTBOX = """
insert into pii.outbox (message_key, kind, recipient, subject, html, plain, message_id, written_at, available_at, sent_at)
select
    'worklist/' || hour || '/' || n, 'worklist', 'agent' || n || '@example.com', 'Worklist', repeat('x', 1000),
    repeat('x', 500), '<' || hour || n || '@example.com>', hour, hour, hour
from generate_series(1, 200) as n
cross join generate_series(%(until)s::timestamptz - interval '29 days', %(until)s, 2 * %(hours)s * interval '1 hour') as hour
"""
ALERTS = f"""
insert into ops.alert (account, subject, cycle, level, recipient, raised_at)
select account, {ID}, 1, 'at_risk', 'agent@example.com', created_at + interval '20 hours'
from invented
where mod(t, 10) = 0
"""
VIEWS = """
insert into ops.personal_data_view (account, subject, visitor, page, seen_at)
select account, ticket_key, agent, 'ticket', created_at from invented
where mod(t, 3) = 0
"""
CALLS = """
insert into ops.api_call (run, account, region, operation, calls, first_at)
select 'run ' || hour, account, region, operation, 3, hour
from unnest(%(accounts)s::text[]) as account
cross join unnest(array['na', 'eu', 'fe']) as region
cross join unnest(array['searchOrders', 'getReport', 'createReport']) as operation
cross join generate_series(%(until)s::timestamptz - interval '89 days', %(until)s, %(hours)s * interval '1 hour') as hour
"""
MADE = "insert into ops.compliance_made (made_until) values (cast(%(until)s::timestamptz as date))"
STEPS = (
    (("mart.ticket",), (TICKET,)),
    (("mart.ticket_status",), (STATUS,)),
    (("mart.sla_clock",), (CLOCK,)),
    (("core.ticket_event",), (EVENT,)),
    (("core.mail",), (MAIL,)),
    (("pii.mail",), (WORDS,)),
    (("core.amazon_order", "core.amazon_order_item", "pii.order_contact"), (ORDERS, ITEMS, CONTACTS)),
    (("mart.compliance_cycle",), (CYCLES,)),
    (("mart.worklist_item",), (WORKLIST,)),
    ((), (COMPLIANCE, MADE, FEEDBACK, REVIEW_REQUESTS, HEALTH, OUTBOX, ALERTS, VIEWS, CALLS, BATCHES, QUARANTINE)),
)
LONG = (LONG_TICKET, LONG_STATUS, LONG_CLOCK, LONG_EVENT, LONG_MAIL, LONG_WORDS)
