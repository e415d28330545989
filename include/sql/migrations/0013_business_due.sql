-- In: mart.calendar_open of 0007. Out: the instant at which so many seconds have been open is found by the index of
-- seconds_until, whose type the goal has now: it used to look at every opening since the calendar's first day.
create or replace function mart.business_due(in_calendar integer, start_at timestamptz, open_seconds numeric)
returns table (due_at timestamptz)
language sql stable parallel safe rows 1
as $$
select case
    when in_calendar = 0 or open_seconds <= 0
        then start_at + make_interval(secs => greatest(open_seconds, 0)::double precision)
    else (
        select due.opens_at + make_interval(secs => (goal.seconds - due.seconds_before)::double precision)
        from (
            select
                began.seconds_before + extract(epoch from least(start_at, began.closes_at) - began.opens_at)
                + open_seconds as seconds
            from mart.calendar_open as began
            where began.calendar_id = in_calendar and began.opens_at <= start_at
            order by began.opens_at desc
            limit 1
        ) as goal
        cross join lateral (
            select
                ended.opens_at,
                ended.seconds_before
            from mart.calendar_open as ended
            where ended.calendar_id = in_calendar and ended.seconds_until >= ceil(goal.seconds)::bigint
            order by ended.seconds_until
            limit 1
        ) as due
    )
end
$$;
