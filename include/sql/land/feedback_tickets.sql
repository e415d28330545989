-- In: changes of feedback that the batches brought, and removals that followed from reports published before;
-- orders, events so far. Out: core.ticket_event on the order's ticket. Feedback of three stars or less that did not
-- count before is a notice; it opens the ticket, or opens it again, unless a mail about the same rating has done so.
-- All else is a note, where there is a ticket. When: the instant by which the feedback had been given, whenever we saw
-- it first; for what became of it, when the report was ordered.
insert into core.ticket_event (
    account,
    source,
    source_id,
    ticket_key,
    marketplace,
    kind,
    ticket_type,
    occurred_at,
    source_order,
    actor,
    order_id,
    detail
)
with brought as (
    select
        account,
        order_id,
        min(seen_at) as since
    from core.feedback_change
    where batch_id = any(%(batch_ids)s::bigint[])
    group by account, order_id
),

changes as (
    select
        change.*,
        change.kind in ('appeared', 'edited', 'reappeared')
        and change.rating <= 3
        and coalesce(change.rating_before > 3, true) as counts_now
    from brought
    inner join core.feedback_change as change
        on
            brought.account = change.account
            and brought.order_id = change.order_id
            and brought.since <= change.seen_at
),

placed as (
    select
        changes.*,
        coalesce(known.marketplace, f.marketplace) as site,
        coalesce(
            talk.ticket_key, coalesce(known.marketplace, f.marketplace) || ':order:' || changes.order_id
        ) as ticket_key,
        case changes.kind when 'appeared' then f.given_by else changes.seen_at end as occurred_at,
        case
            when changes.kind = 'appeared' then changes.order_id || ':appeared'
            else
                changes.order_id || ':' || changes.kind || ':'
                || to_char(changes.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
        end as source_id,
        changes.counts_now
        and not exists (
            select 1 from core.ticket_event as event
            where
                changes.kind <> 'reappeared'
                and event.account = changes.account
                and event.order_id = changes.order_id
                and event.source = 'mail'
                and event.kind = 'notice'
                and event.detail ->> 'mail_kind' = 'feedback_notice'
                and event.detail ->> 'rating' = changes.rating::text
        ) as is_notice,
        talk.ticket_key is not null as has_ticket
    from changes
    inner join core.feedback as f on changes.account = f.account and changes.order_id = f.order_id
    left join core.amazon_order as known
        on changes.account = known.account and changes.order_id = known.order_id
    left join lateral (
        select event.ticket_key from core.ticket_event as event
        where
            event.account = changes.account
            and event.order_id = changes.order_id
            and right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
        order by event.event_id
        limit 1
    ) as talk on true
),

joined as (
    select
        *,
        has_ticket or bool_or(is_notice) over (partition by account, order_id) as is_on_ticket
    from placed
)

select
    account,
    'feedback' as source,
    source_id,
    ticket_key,
    site as marketplace,
    case when is_notice then 'notice' else 'note' end as kind,
    case
        when counts_now and rating <= 2 then 'negative_feedback'
        when counts_now then 'neutral_feedback'
    end as ticket_type,
    occurred_at,
    case when is_notice then 0 else 3 end as source_order,
    case when kind = 'answered' then 'seller' else 'amazon' end as actor,
    order_id,
    jsonb_strip_nulls(
        jsonb_build_object('feedback', kind, 'rating', rating, 'rating_before', rating_before)
    ) as detail
from joined
where is_on_ticket
order by account, occurred_at, source_id
on conflict (account, source, source_id) do nothing
