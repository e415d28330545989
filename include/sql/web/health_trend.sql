-- In: account, marketplace, metric, fulfilment and period_days (null: none), since. Out: that figure as Amazon told it
-- since then, the last of each day, the newest first.
select distinct on (measured_at::date)
    measured_at,
    unit,
    value,
    numerator,
    denominator,
    target_value,
    target_condition,
    status,
    severity = 0 as is_good
from core.account_metric
where
    account = %(account)s
    and marketplace = %(marketplace)s
    and metric = %(metric)s
    and fulfilment is not distinct from %(fulfilment)s::text
    and period_days is not distinct from %(period_days)s::integer
    and measured_at >= %(since)s::timestamptz
order by measured_at::date desc, measured_at desc
