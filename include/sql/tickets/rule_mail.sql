-- In: account, rule_id. Out: mail that nobody understood or decided so far and that the rule is for, with its ticket,
-- the oldest first.
with asked as (
    select %(rule_id)s::bigint as rule_id
),

undecided as (
    select * from core.mail
    where
        account = %(account)s
        and kind = 'unknown'
        and not exists (
            select 1 from core.mail_decision as decision
            where decision.account = core.mail.account and decision.mail_id = core.mail.mail_id
        )
),

landed as (
    select
        received.account,
        received.mail_id,
        received.batch_id,
        received.received_at,
        received.meaning ->> 'sender' as sender,
        received.meaning ->> 'subject' as subject
    from pii.mail_received as received
    where received.account = %(account)s
),

fitting as (
    select undecided.*
    from undecided
    inner join landed
        on
            undecided.account = landed.account
            and undecided.mail_id = landed.mail_id
            and undecided.batch_id = landed.batch_id
    inner join asked
        on (
            select rule.rule_id
            from pii.mail_rule_for(landed.account, landed.sender, landed.subject, landed.received_at) as rule
        ) = asked.rule_id
)

select distinct on (fitting.mail_id)
    fitting.mail_id,
    fitting.received_at,
    ticket.account,
    ticket.ticket_key,
    ticket.marketplace,
    ticket.ticket_type,
    ticket.order_id,
    ticket.buyer_ref
from fitting
inner join mart.ticket as ticket on fitting.account = ticket.account and fitting.ticket_key = ticket.ticket_key
order by fitting.mail_id asc, ticket.generation desc
