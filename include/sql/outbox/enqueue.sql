-- In: one message. Out: pii.outbox; a message whose key is there already changes nothing.
insert into pii.outbox (
    message_key,
    kind,
    channel,
    recipient,
    subject,
    html,
    plain,
    message_id,
    available_at,
    attachments,
    about
)
values (
    %(message_key)s::text,
    %(kind)s::text,
    %(channel)s::text,
    %(recipient)s::text,
    %(subject)s::text,
    %(html)s::text,
    %(plain)s::text,
    %(message_id)s::text,
    %(available_at)s::timestamptz,
    %(attachments)s::jsonb,
    %(about)s::text[]
)
on conflict (message_key) do nothing
