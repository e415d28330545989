-- In: landed mail of the batches without that in quarantine. Out: core.mail; a mail that is known stays
-- as it is. sent_at: the mail's own date, bounded by when our server received it. ticket_key follows in
-- mail_tickets.sql.
insert into core.mail (
    account,
    mail_id,
    mailbox,
    folder,
    kind,
    confidence,
    signals,
    direction,
    marketplace,
    order_ids,
    case_id,
    buyer_ref,
    language,
    sent_at,
    received_at,
    attachment_count,
    archived_as,
    batch_id
)
with received as (
    select * from pii.mail_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

set_aside as (
    select
        batch_id,
        row_key
    from ops.quarantine
    where dataset = 'mail' and batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select received.* from received
    where
        not exists (
            select 1 from set_aside
            where set_aside.batch_id = received.batch_id and set_aside.row_key = received.mail_id
        )
),

lists as (
    select
        account,
        mail_id,
        batch_id,
        case jsonb_typeof(meaning -> 'signals') when 'array' then meaning -> 'signals' else '[]' end
            as signals,
        case jsonb_typeof(meaning -> 'order_ids') when 'array' then meaning -> 'order_ids' else '[]' end
            as order_ids,
        case jsonb_typeof(meaning -> 'attachments') when 'array' then meaning -> 'attachments' else '[]' end
            as attachments
    from passed
),

typed as (
    select
        passed.account,
        passed.mail_id,
        passed.mailbox,
        passed.folder,
        passed.meaning ->> 'kind' as kind,
        ops.amount(passed.meaning ->> 'confidence')::real as confidence,
        array(select jsonb_array_elements_text(lists.signals)) as signals,
        passed.meaning ->> 'direction' as direction,
        passed.meaning ->> 'marketplace' as marketplace,
        array(
            select named.order_id
            from jsonb_array_elements_text(lists.order_ids) with ordinality as named (order_id, place)
            where named.order_id ~ '^(\d{3}-\d{7}-\d{7}|[DS]01-.*)$'
            order by named.place
        ) as order_ids,
        passed.meaning ->> 'case_id' as case_id,
        passed.meaning ->> 'buyer_ref' as buyer_ref,
        passed.meaning ->> 'language' as language,
        least(ops.instant(passed.meaning ->> 'sent_at'), passed.received_at) as sent_at,
        passed.received_at,
        jsonb_array_length(lists.attachments) as attachment_count,
        passed.archived_as,
        passed.batch_id
    from passed
    inner join lists
        on
            passed.account = lists.account
            and passed.mail_id = lists.mail_id
            and passed.batch_id = lists.batch_id
)

select distinct on (account, mail_id) * from typed
order by account, mail_id, batch_id
on conflict (account, mail_id) do nothing
