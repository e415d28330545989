-- In:  revision 0003. Out: seller feedback as it stands, how it came to stand so, and the reports that say so.

---------- raw: as received

create table raw.feedback_report (
    batch_id bigint not null references ops.batch,
    account text not null,
    marketplace text not null,
    seen_at timestamptz not null,
    spared_order_ids text[] not null,
    is_complete boolean not null,
    primary key (account, batch_id)
);
create index feedback_report_seen on raw.feedback_report (account, marketplace, seen_at);
comment on table raw.feedback_report is 'One feedback report of one marketplace; its span is the window of the batch.';
comment on column raw.feedback_report.seen_at is 'When the report was ordered: it tells how things stood then, '
'whatever its span.';
comment on column raw.feedback_report.spared_order_ids is 'Orders of lines that could not be read: they are not '
'missing.';
comment on column raw.feedback_report.is_complete is 'False if lines could not be read and their orders are unknown: '
'what is missing from the report then proves nothing.';

create table raw.feedback_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    line_number integer not null,
    order_id text not null,
    rated_on date not null,
    rating smallint not null,
    has_response boolean not null,
    comments_key text not null,
    response_key text not null,
    primary key (account, batch_id, line_number)
);
create index feedback_received_batch on raw.feedback_received (batch_id);
comment on column raw.feedback_received.comments_key is 'Digest: tells edited comments without their words.';

create table pii.feedback_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    line_number integer not null,
    comments text not null,
    response text not null,
    rater_email text not null,
    primary key (account, batch_id, line_number)
);

---------- core: facts

create table core.feedback (
    account text not null,
    order_id text not null,
    marketplace text not null,
    rating smallint not null,
    rated_on date not null,
    given_by timestamptz not null,
    first_seen_at timestamptz not null,
    changed_at timestamptz,
    removed_at timestamptz,
    has_response boolean not null,
    response_seen_at timestamptz,
    known_at timestamptz not null,
    comments_key text not null,
    response_key text not null,
    batch_id bigint not null,
    line_number integer not null,
    primary key (account, order_id)
);
create index feedback_standing on core.feedback (account, marketplace, rated_on) where removed_at is null;
comment on table core.feedback is 'Seller feedback, newest version. Amazon reports one to three stars only, so '
'feedback raised above that is removed here, and may reappear.';
comment on column core.feedback.marketplace is 'Whose report shows it.';
comment on column core.feedback.rated_on is 'Day of the marketplace''s calendar.';
comment on column core.feedback.given_by is 'Instant by which it had been given: end of the day rated_on there, or end '
'of the first report''s span if that is earlier.';
comment on column core.feedback.first_seen_at is 'When the first report of it was ordered.';
comment on column core.feedback.changed_at is 'Rating or comments were last seen changed; null: never.';
comment on column core.feedback.removed_at is 'First known to be missing; null while it stands.';
comment on column core.feedback.known_at is 'Seen_at of the newest report that tells of it, by showing it or by '
'lacking it: older ones change nothing.';
comment on column core.feedback.batch_id is 'With line_number: where it was last shown.';

create table core.feedback_change (
    account text not null,
    order_id text not null,
    seen_at timestamptz not null,
    kind text not null check (kind in ('appeared', 'edited', 'answered', 'removed', 'reappeared')),
    rating smallint not null,
    rating_before smallint,
    batch_id bigint not null,
    primary key (account, order_id, seen_at, kind)
);
create index feedback_change_batch on core.feedback_change (batch_id);
comment on table core.feedback_change is 'Append-only: what became of feedback, by the report that showed it.';
comment on column core.feedback_change.rating_before is 'Null where no feedback stood before.';

create table pii.feedback (
    account text not null,
    order_id text not null,
    comments text not null,
    response text not null,
    rater_email text not null,
    primary key (account, order_id)
);
comment on table pii.feedback is 'Words of the newest version, written when it changes.';

---------- mart: answers

create index mail_refund on core.mail (account, (order_ids[1])) where kind = 'refund_notice';

create view mart.feedback as
select
    f.account,
    f.order_id,
    f.marketplace,
    f.rating,
    f.rated_on,
    f.given_by,
    f.removed_at is null as stands,
    f.first_seen_at,
    f.changed_at,
    f.removed_at,
    f.has_response,
    f.response_seen_at,
    o.ordered_at,
    o.status as order_status,
    o.fulfilled_by,
    o.ship_by_at,
    o.shipped_at,
    talk.asked_at as first_asked_at,
    talk.asked_at is not null as had_ticket_before,
    case when o.fulfilled_by = 'MERCHANT' then o.ship_by_at < least(o.shipped_at, f.given_by) end
        as was_shipped_late,
    refund.noticed_at as refund_noticed_at,
    coalesce(refund.noticed_at <= f.given_by, false) as was_refunded_before
from core.feedback as f
left join core.amazon_order as o on f.account = o.account and f.order_id = o.order_id
left join lateral (
    select min(event.occurred_at) as asked_at from core.ticket_event as event
    where
        event.account = f.account
        and event.order_id = f.order_id
        and event.occurred_at <= f.given_by
        and event.kind in ('buyer_message', 'notice')
        and event.source <> 'feedback'
        and event.detail ->> 'mail_kind' is distinct from 'feedback_notice'
) as talk on true
left join lateral (
    select min(notice.sent_at) as noticed_at from core.mail as notice
    where
        notice.account = f.account
        and notice.order_ids[1] = f.order_id
        and notice.kind = 'refund_notice'
) as refund on true;
comment on view mart.feedback is 'Each feedback with its order, and what came before it: a ticket (other than about '
'the feedback itself), a late shipment, a refund.';
comment on column mart.feedback.was_shipped_late is 'Sent after the promised time, or not sent by then when the '
'feedback was given; null where Amazon ships, or nothing is known. Amazon tells no delivery times.';
comment on column mart.feedback.was_refunded_before is 'By notice of Amazon in the mailbox.';
