-- In: the warehouse of 0013. Out: who looked at whose personal data, and the indexes by which pages search.
create table ops.personal_data_view (
    view_id bigint generated always as identity primary key,
    account text not null,
    subject text not null,
    visitor text not null,
    page text not null,
    seen_at timestamptz not null
);
create index personal_data_view_subject on ops.personal_data_view (account, subject, seen_at);
create index personal_data_view_seen on ops.personal_data_view (seen_at);
comment on table ops.personal_data_view is 'Every time that somebody was shown names, addresses or words of a buyer.';
comment on column ops.personal_data_view.subject is 'The ticket or order that it belongs to; of a search: search.';
comment on column ops.personal_data_view.visitor is 'User name in Airflow.';

create index ticket_status_not_done on mart.ticket_status (until_at, from_at)
where status in ('new', 'open', 'pending', 'on_hold');
create index ticket_order on mart.ticket (account, order_id) where order_id is not null;
create index ticket_case on mart.ticket (account, case_id) where case_id is not null;
create index ticket_buyer on mart.ticket (account, buyer_ref) where buyer_ref is not null;
create index mail_ticket on core.mail (account, ticket_key) where ticket_key is not null;
create index mail_alias on pii.mail (account, buyer_alias) where buyer_alias is not null;
create index order_item_sku on core.amazon_order_item (account, sku);
create index order_item_asin on core.amazon_order_item (account, asin);
create index mail_words on pii.mail using gin (
    to_tsvector('simple', coalesce(subject, '') || ' ' || coalesce(buyer_name, '') || ' ' || coalesce(body, ''))
);
