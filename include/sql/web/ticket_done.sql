-- In: account, source_id. Out: what a person did on a page, by its identity.
select
    kind,
    coalesce(
        detail ->> 'agent', detail ->> 'stakeholder', detail ->> 'mail_kind', detail ->> 'into', detail ->> 'scope',
        ticket_type, order_id
    ) as about
from core.ticket_event
where account = %(account)s and source = 'page' and source_id = %(source_id)s
