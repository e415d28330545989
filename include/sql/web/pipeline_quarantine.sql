-- In: nothing; ops.quarantine. Out: what is set aside and not settled, by dataset and rule.
select
    dataset,
    rule,
    count(*) as set_aside,
    max(set_aside_at) as last_at
from ops.quarantine
where settled_at is null
group by dataset, rule
order by set_aside desc, dataset asc, rule asc
