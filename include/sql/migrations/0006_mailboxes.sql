-- In: the revision before. Out: since when each account's mail makes somebody late; mail that a server did
-- not give.

create table core.account_start (
    account text primary key,
    live_since timestamptz not null,
    noted_at timestamptz not null default now()
);
comment on table core.account_start is 'From when on an account''s mail makes somebody late; kept once, with the '
'first reading of its mail. What is older is history: read, understood and kept, and nobody''s task.';

-- Whoever read mail before this revision goes on as before.
insert into core.account_start (account, live_since)
select
    account,
    min(sent_at) as live_since
from core.mail
group by account;

create table ops.mail_failure (
    account text not null,
    mailbox text not null,
    folder text not null,
    uid_validity bigint not null,
    uid bigint not null,
    reason text not null,
    attempts integer not null default 1,
    failed_at timestamptz not null default now(),
    last_failed_at timestamptz not null default now(),
    primary key (account, mailbox, folder, uid_validity, uid)
);
comment on table ops.mail_failure is 'Mail that the server lists and does not give. It is asked for again by later '
'readings, a few times; a row goes when its mail has come.';
comment on column ops.mail_failure.account is 'Owner of the mailbox.';

create index mail_reply_without_ticket on core.mail (account) where kind = 'reply_copy' and ticket_key is null;
create index ticket_event_ambiguous on core.ticket_event (account) where detail ->> 'reason' = 'ambiguous_reply';
