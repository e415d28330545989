-- In: privacy_due_order, those after one number until another; accounts, order_ids, buyer_refs (side by side); run_id,
-- removed_at. Out: of their contacts only buyer_ref is left; what was received of their buyers and in feedback is gone;
-- ops.removal has each order. An order with nothing to remove is on record, too: what comes late stays out.
with run as (
    select
        %(run_id)s::bigint as run_id,
        %(removed_at)s::timestamptz as removed_at
),

due as (
    select
        account,
        order_id
    from privacy_due_order
    where number > %(after)s and number <= %(until)s
),

hashed as (
    select * from unnest(%(accounts)s::text[], %(order_ids)s::text[], %(buyer_refs)s::text[])
        as one (account, order_id, buyer_ref)
),

-- In the order in which publishing takes them: neither waits for the other for ever.
locked as materialized (
    select
        contact.account,
        contact.order_id
    from pii.order_contact as contact
    inner join due on contact.account = due.account and contact.order_id = due.order_id
    where contact.removed_at is null
    order by contact.account, contact.order_id
    for update of contact
),

named as (
    select
        locked.account,
        locked.order_id,
        hashed.buyer_ref
    from locked
    left join hashed on locked.account = hashed.account and locked.order_id = hashed.order_id
),

contacts as (
    update pii.order_contact as contact
    set
        buyer_name = null,
        buyer_alias = null,
        recipient = null,
        buyer_ref = named.buyer_ref,
        removed_at = run.removed_at
    from named
    cross join run
    where contact.account = named.account and contact.order_id = named.order_id
    returning contact.account, contact.order_id
),

received as (
    delete from pii.order_received as landed
    using due
    where landed.account = due.account and landed.order_id = due.order_id
    returning landed.account, landed.order_id
),

words as (
    delete from pii.feedback as feedback
    using due
    where feedback.account = due.account and feedback.order_id = due.order_id
    returning feedback.account, feedback.order_id
),

lines as (
    delete from pii.feedback_received as landed
    using raw.feedback_received as line
    inner join due on line.account = due.account and line.order_id = due.order_id
    where
        landed.account = line.account
        and landed.batch_id = line.batch_id
        and landed.line_number = line.line_number
    returning line.account, line.order_id
),

removed as (
    select * from contacts
    union all
    select * from received
    union all
    select * from words
    union all
    select * from lines
)

insert into ops.removal as known (run_id, account, kind, key, entries, removed_at)
select
    run.run_id,
    due.account,
    'order' as kind,
    due.order_id as key,
    count(removed.order_id) as entries,
    run.removed_at
from due
cross join run
left join removed on due.account = removed.account and due.order_id = removed.order_id
group by due.account, due.order_id, run.run_id, run.removed_at
on conflict (account, kind, key, run_id) do update
    set entries = known.entries + excluded.entries
