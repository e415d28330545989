-- In: a run. Out: its calls to Amazon by operation, most used first; throttled: those that were told to wait.
select
    operation,
    sum(calls) as calls,
    sum(throttled) as throttled
from ops.api_call
where run = %(run)s::text
group by operation
order by calls desc, operation asc
