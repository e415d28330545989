-- In: as_of; marketplaces (null: all) and team of the visitor; after_at, after_id: the last row of the page before
-- (null: the first page); at_most: rows. Out: tickets of mail that somebody has to decide of, with their newest such
-- mail, where it lies, and the tickets that it may belong to; the longest waiting first. No personal data.
with asked as (
    select
        %(as_of)s::timestamptz as as_of,
        %(marketplaces)s::text[] as marketplaces,
        %(team)s::text[] as team,
        %(after_at)s::timestamptz as after_at,
        %(after_id)s::text as after_id
),

periods as (
    select * from mart.ticket_status
    where
        status in ('new', 'open')
        and from_at <= %(as_of)s::timestamptz
        and until_at > %(as_of)s::timestamptz
),

clocks as (
    select * from mart.sla_clock
    where
        metric = 'mail_decision'
        and started_at <= %(as_of)s::timestamptz
        and (stopped_at is null or stopped_at > %(as_of)s::timestamptz)
),

waiting as (
    select
        ticket.account,
        ticket.ticket_id,
        ticket.marketplace,
        periods.status,
        mail.mail_id,
        mail.kind,
        mail.received_at,
        mail.mailbox || '/' || mail.folder as place,
        mail.attachment_count,
        clocks.due_at,
        ticket.account || '/' || ticket.ticket_id as id,
        array(
            select candidate.ticket_key
            from core.ticket_event as event
            cross join lateral jsonb_array_elements_text(event.detail -> 'candidates') as candidate (ticket_key)
            where event.account = mail.account and event.source = 'mail' and event.source_id = mail.mail_id
            order by candidate.ticket_key
            limit 10
        ) as candidates
    from periods
    inner join mart.ticket as ticket on periods.account = ticket.account and periods.ticket_id = ticket.ticket_id
    inner join lateral (
        select filed.* from core.mail as filed
        where filed.account = ticket.account and filed.ticket_key = ticket.ticket_key
        order by filed.kind = 'unknown' desc, filed.received_at desc, filed.mail_id asc
        limit 1
    ) as mail on true
    left join clocks on ticket.account = clocks.account and ticket.ticket_id = clocks.ticket_id
    cross join asked
    where
        ticket.ticket_type = 'unknown_mail'
        and (
            asked.marketplaces is null
            or ticket.marketplace = any(asked.marketplaces)
            or exists (
                select 1 from mart.ticket_agent as holder
                where
                    holder.account = ticket.account
                    and holder.ticket_id = ticket.ticket_id
                    and holder.agent = any(asked.team)
            )
        )
)

select
    waiting.account,
    waiting.ticket_id,
    waiting.marketplace,
    waiting.status,
    waiting.mail_id,
    waiting.kind,
    waiting.received_at,
    waiting.place,
    waiting.attachment_count,
    waiting.due_at,
    waiting.candidates,
    waiting.id,
    count(*) over () as found
from waiting
cross join asked
where asked.after_at is null or (waiting.received_at, waiting.id) > (asked.after_at, asked.after_id)
order by waiting.received_at asc, waiting.id asc
limit %(at_most)s
