-- In: a batch of account health. Out: the report as received; either document or xml.
select
    region,
    document,
    xml
from raw.account_health_received
where batch_id = %(batch_id)s::bigint
