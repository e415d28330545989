-- In: the clocks, periods and events of 0007. Out: indexes by which what is to do at an instant is found, past instants
-- too.
create index sla_clock_running on mart.sla_clock (metric, (coalesce(stopped_at, 'infinity')));
create index ticket_status_auto_solved on mart.ticket_status (from_at) where cause = 'auto_solve';
create index ticket_event_cancellation_wish on core.ticket_event (account, ticket_key)
where detail ->> 'asks' = 'cancellation';
drop index mart.ticket_status_waiting;
create index ticket_status_waiting on mart.ticket_status (until_at, from_at) where status in ('new', 'open', 'on_hold');

-- The same words, of immutable parts only: so PostgreSQL writes it into the query, and does not call it for each row.
create or replace function mart.span_in_words(seconds bigint) returns text
language sql immutable parallel safe
return case
    when seconds < 60 then 'less than 1 min'
    when seconds < 3600 then (seconds / 60)::text || ' min'
    when seconds < 172800
        then
            (seconds / 3600)::text || ' h'
            || case when mod(seconds / 60, 60) > 0 then ' ' || mod(seconds / 60, 60)::text || ' min' else '' end
    else
        (seconds / 86400)::text || ' d'
        || case when mod(seconds / 3600, 24) > 0 then ' ' || mod(seconds / 3600, 24)::text || ' h' else '' end
end;
