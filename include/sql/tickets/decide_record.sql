-- In: account, mail_id, kind, who decided so and when, identity of the click. Out: core.mail_decision has it, once;
-- returned is the ticket that the mail belongs to so far and the batch that brought it, if the decision is new.
with decided as (
    insert into core.mail_decision (account, mail_id, kind, decided_by, decided_at, identity)
    values (
        %(account)s,
        %(mail_id)s,
        %(kind)s,
        %(decided_by)s,
        %(decided_at)s,
        %(identity)s
    )
    on conflict (account, mail_id, identity) do nothing
    returning account, mail_id
)

select
    filed.ticket_key,
    filed.batch_id
from decided
inner join core.mail as filed on decided.account = filed.account and decided.mail_id = filed.mail_id
