-- In: nothing. Out: temporary table seen_period, empty: status periods before and after recomputing.
create temporary table seen_period (
    side text not null,
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    from_at timestamptz not null,
    status text not null,
    cause text not null,
    event_count integer not null,
    primary key (account, ticket_id, from_at, side)
) on commit drop
