-- In: as_of; core.account_metric. Out: how each account does in each marketplace as of then, worst first: the newest
-- report up to as_of, each metric with its trend since the one before.
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
    severity,
    status,
    target_value,
    target_condition,
    target_source
from mart.account_health_as_of(%(as_of)s::timestamptz)
order by
    severity desc nulls last, account asc, marketplace asc, metric asc, fulfilment asc, period_days asc
