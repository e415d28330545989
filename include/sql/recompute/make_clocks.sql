-- In: nothing. Out: temporary table seen_clock, empty: cycles before and after recomputing.
create temporary table seen_clock (
    side text not null,
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    metric text not null,
    cycle integer not null,
    started_at timestamptz not null,
    due_at timestamptz,
    breached_at timestamptz,
    stopped_at timestamptz,
    stopped_by text,
    target_seconds bigint,
    policy text not null,
    calendar text not null,
    fingerprint text not null,
    event_count integer not null,
    primary key (account, ticket_id, metric, cycle, side)
) on commit drop
