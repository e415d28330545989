-- In: ops.ticket_touched. Out: of these tickets, those of which nothing is left but assignments by rules and what
-- agents did in their desks (their mail belongs elsewhere now) are gone, too; the desks' batches are to be published
-- again, and find the tickets of today.
with touched as (
    select touched.* from ops.ticket_touched as touched
    where
        not exists (
            select 1 from core.ticket_event as own
            where
                own.account = touched.account
                and own.ticket_key = touched.ticket_key
                and own.source <> 'rules'
                and not starts_with(own.source, 'desk:')
        )
),

gone as (
    delete from core.ticket_event as event
    using touched
    where event.account = touched.account and event.ticket_key = touched.ticket_key
    returning event.account, event.source, event.source_id
)

update ops.batch as batch
set published_at = null
from raw.desk_action as action
inner join gone
    on
        action.account = gone.account
        and action.desk = substr(gone.source, 6)
        and action.row_identity = gone.source_id
where batch.batch_id = action.batch_id and starts_with(gone.source, 'desk:')
