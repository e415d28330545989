-- In: one acknowledgement. Out: core.alert_acknowledgement; a repeat changes nothing.
insert into core.alert_acknowledgement (
    account,
    topic,
    ticket_id,
    cycle,
    acknowledged_by,
    acknowledged_at
)
values (
    %(account)s::text,
    %(topic)s::text,
    %(ticket_id)s::text,
    %(cycle)s::integer,
    %(acknowledged_by)s::text,
    %(acknowledged_at)s::timestamptz
)
on conflict (account, topic, ticket_id, cycle, acknowledged_by) do nothing
