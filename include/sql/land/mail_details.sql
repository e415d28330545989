-- In: mail that came first with the batches, as landed, and its ticket events. Out: core.ticket_event.detail
-- has what the mail says beside its kind, without personal data: deadline, appeal_until (ISO 8601), amount
-- and currency, decision, case_status, performance_issue, asks, and the products of mail that names no order
-- or lists what is returned or refunded.
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

meanings as (
    select
        new_mail.account,
        new_mail.mail_id,
        r.meaning,
        case
            when new_mail.kind in ('buyer_message', 'reply_copy') and new_mail.order_ids[1] is not null then '[]'
            when jsonb_typeof(r.meaning -> 'products') = 'array' then r.meaning -> 'products'
            else '[]'
        end as listed
    from new_mail
    inner join pii.mail_received as r
        on
            new_mail.account = r.account
            and new_mail.mail_id = r.mail_id
            and new_mail.batch_id = r.batch_id
),

told as (
    select
        meanings.account,
        meanings.mail_id,
        jsonb_strip_nulls(
            jsonb_build_object(
                'deadline',
                case
                    when ops.instant(meanings.meaning ->> 'deadline') is not null
                        then meanings.meaning -> 'deadline'
                end,
                'appeal_until',
                case
                    when ops.instant(meanings.meaning ->> 'appeal_until') is not null
                        then meanings.meaning -> 'appeal_until'
                end,
                'amount', ops.amount(meanings.meaning ->> 'amount'),
                'currency', meanings.meaning -> 'currency',
                'decision', meanings.meaning -> 'decision',
                'case_status', meanings.meaning -> 'case_status',
                'performance_issue', meanings.meaning -> 'performance_issue',
                'asks', meanings.meaning -> 'asks',
                'products', products.named
            )
        ) as said
    from meanings
    cross join lateral (
        select
            jsonb_agg(
                jsonb_build_object(
                    'asin', line.product -> 'asin',
                    'sku', line.product -> 'sku',
                    'quantity', line.product -> 'quantity',
                    'amount', line.product -> 'amount'
                )
                order by line.place
            ) as named
        from jsonb_array_elements(meanings.listed) with ordinality as line (product, place)
    ) as products
)

update core.ticket_event as event
set detail = event.detail || told.said
from told
where
    event.account = told.account
    and event.source = 'mail'
    and event.source_id = told.mail_id
    and told.said <> '{}'
