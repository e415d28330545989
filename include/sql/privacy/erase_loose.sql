-- In: account, order_ids, aliases of one buyer; removed_at. Out: lines in quarantine and desks' actions that name
-- one of them are gone, messages to staff that do are empty (those that wait are cancelled); returns how many of
-- each.
with names as (
    select unnest(%(order_ids)s::text[] || %(aliases)s::text[]) as name
),

patterns as (
    select '%%' || replace(replace(replace(name, '\', '\\'), '%%', '\%%'), '_', '\_') || '%%' as pattern
    from names
),

lines as (
    delete from pii.quarantined_row as content
    using ops.quarantine as aside
    where
        content.quarantine_id = aside.quarantine_id
        and aside.account = %(account)s
        and content.content ilike any(select pattern from patterns)
    returning 1
),

actions as (
    delete from pii.desk_action as received
    where
        received.account = %(account)s
        and concat_ws(' ', received.received::text, received.body) ilike any(select pattern from patterns)
    returning 1
),

messages as (
    update pii.outbox
    set
        html = '',
        plain = '',
        attachments = '[]',
        emptied_at = %(removed_at)s::timestamptz,
        cancelled_at = case when state = 'waiting' then %(removed_at)s::timestamptz else cancelled_at end
    where
        emptied_at is null
        and plain ilike any(select pattern from patterns)
    returning 1
)

select
    (select count(*) from lines) as set_aside,
    (select count(*) from actions) as received,
    (select count(*) from messages) as message
