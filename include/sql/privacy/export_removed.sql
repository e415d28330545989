-- In: account, order_id. Out: what was removed of the order, its tickets and mails, when and by which rule.
with keys as (
    select
        %(account)s::text as account,
        'order' as kind,
        %(order_id)s::text as key
    union
    select
        account,
        'ticket' as kind,
        ticket_key as key
    from mart.ticket
    where account = %(account)s and order_id = %(order_id)s
    union
    select
        account,
        'mail' as kind,
        mail_id as key
    from core.mail
    where account = %(account)s and order_ids[1] = %(order_id)s
)

select
    removal.kind,
    removal.key,
    run.rule,
    removal.removed_at,
    removal.entries
from keys
inner join ops.removal as removal
    on keys.account = removal.account and keys.kind = removal.kind and keys.key = removal.key
inner join ops.removal_run as run on removal.run_id = run.run_id
order by removal.removed_at, removal.kind, removal.key
