-- In: nothing; mart.account_health. Out: every figure as Amazon told it last, what is not good first.
select
    account,
    marketplace,
    metric,
    fulfilment,
    period_days,
    measured_at,
    unit,
    value,
    previous_value,
    trend,
    is_worse,
    is_good,
    status,
    target_value,
    target_condition,
    numerator,
    denominator
from mart.account_health
order by account asc, marketplace asc, is_good asc nulls last, metric asc, fulfilment asc, period_days asc
