-- In: landed mail of the batches without that in quarantine or removed; what people decided of it, which counts before
-- what the rules say, and rules that people made for what those do not know. Out: core.mail; a mail that is known
-- stays as it is. sent_at: the mail's own date, bounded by when our server received it. ticket_key follows in
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
    where batch_id = any(%(batch_ids)s::bigint[]) and meaning is not null
),

passed as (
    select
        received.*,
        case jsonb_typeof(received.meaning -> 'signals') when 'array' then received.meaning -> 'signals' end
            as signals,
        case jsonb_typeof(received.meaning -> 'order_ids')
            when 'array' then received.meaning -> 'order_ids'
        end as named_ids,
        case jsonb_typeof(received.meaning -> 'attachments')
            when 'array' then received.meaning -> 'attachments'
        end as attachments
    from received
    where
        not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'mail'
                and aside.row_key = received.mail_id
        )
),

typed as (
    select
        passed.account,
        passed.mail_id,
        passed.mailbox,
        passed.folder,
        coalesce(decided.kind, ruled.kind, passed.meaning ->> 'kind') as kind,
        case
            when coalesce(decided.kind, ruled.kind) is null then ops.amount(passed.meaning ->> 'confidence')::real
            else 1
        end as confidence,
        array(select jsonb_array_elements_text(passed.signals)) || coalesce(decided.signal, ruled.signal) as signals,
        passed.meaning ->> 'direction' as direction,
        passed.meaning ->> 'marketplace' as marketplace,
        array(
            select named.order_id
            from jsonb_array_elements_text(passed.named_ids) with ordinality as named (order_id, place)
            where named.order_id ~ '^(\d{3}-\d{7}-\d{7}|[DS]01-.*)$'
            order by named.place
        ) as order_ids,
        passed.meaning ->> 'case_id' as case_id,
        passed.meaning ->> 'buyer_ref' as buyer_ref,
        passed.meaning ->> 'language' as language,
        least(ops.instant(passed.meaning ->> 'sent_at'), passed.received_at) as sent_at,
        passed.received_at,
        coalesce(jsonb_array_length(passed.attachments), 0) as attachment_count,
        passed.archived_as,
        passed.batch_id
    from passed
    left join lateral (
        select
            decision.kind,
            array['decided by a person'] as signal
        from core.mail_decision as decision
        where decision.account = passed.account and decision.mail_id = passed.mail_id
        order by decision.decided_at desc, decision.decision_id desc
        limit 1
    ) as decided on true
    left join lateral (
        select
            rule.kind,
            array['rule ' || rule.rule_id || ' of a person'] as signal
        from
            pii.mail_rule_for(
                passed.account, passed.meaning ->> 'sender', passed.meaning ->> 'subject', passed.received_at
            ) as rule
        where passed.meaning ->> 'kind' = 'unknown' and decided.kind is null
    ) as ruled on true
)

select distinct on (account, mail_id) * from typed
order by account, mail_id, batch_id
on conflict (account, mail_id) do nothing
