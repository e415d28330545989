-- In: as_of, dataset (orders or mail), places, accounts, smallest_usual; core.amazon_order, core.mail. Out: one row a
-- place: orders placed, or mails sent, in the day before as_of against the median of the same day of the last eight
-- weeks in which the account had any. Null where neither the day nor the median has smallest_usual; no row where less
-- than three of those weeks had any.
with places as (
    select
        place.*,
        %(smallest_usual)s::numeric as fewest
    from jsonb_to_recordset(%(places)s::jsonb) as place (account text, marketplace text, region text)
),

days as (
    select
        ago,
        %(as_of)s::timestamptz - ago * interval '7 days' as day_end
    from generate_series(0, 8) as weeks (ago)
),

-- Day by day, so that each is found without reading what lies between.
counted as (
    select
        days.ago,
        found.account,
        found.marketplace,
        found.volume
    from days
    cross join
        lateral (
            select
                placed.account,
                placed.marketplace,
                count(*) as volume
            from core.amazon_order as placed
            where
                %(dataset)s::text = 'orders'
                and placed.ordered_at > days.day_end - interval '1 day'
                and placed.ordered_at <= days.day_end
            group by placed.account, placed.marketplace
            union all
            select
                sent.account,
                sent.marketplace,
                count(*) as volume
            from core.mail as sent
            where
                %(dataset)s::text = 'mail'
                and sent.account = any(%(accounts)s::text[])
                and sent.sent_at > days.day_end - interval '1 day'
                and sent.sent_at <= days.day_end
            group by sent.account, sent.marketplace
        ) as found
),

known as (
    select distinct
        account,
        ago
    from counted
    where ago > 0
),

usual as (
    select
        places.account,
        places.marketplace,
        percentile_cont(0.5) within group (order by coalesce(counted.volume, 0)) as volume
    from places
    inner join known on places.account = known.account
    left join counted
        on
            places.account = counted.account
            and places.marketplace = counted.marketplace
            and known.ago = counted.ago
    group by places.account, places.marketplace
    having count(*) >= 3
),

today as (
    select
        places.account,
        places.marketplace,
        places.fewest,
        usual.volume::numeric as usual_volume,
        coalesce(counted.volume, 0) as volume
    from places
    inner join usual on places.account = usual.account and places.marketplace = usual.marketplace
    left join counted
        on places.account = counted.account and places.marketplace = counted.marketplace and counted.ago = 0
)

select
    account,
    marketplace as scope,
    case when greatest(usual_volume, volume) >= fewest then volume / greatest(usual_volume, fewest) end as times_usual,
    volume || ' in a day, ' || round(usual_volume) || ' usually on this weekday' as times_usual_because
from today
