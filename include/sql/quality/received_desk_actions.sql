-- In: a batch of a desk's actions, keys of its rows. Out: the rows as received (personal data).
select
    line_number,
    received
from pii.desk_action
where batch_id = %(batch_id)s::bigint and 'line ' || line_number = any(%(row_keys)s::text[])
order by line_number
