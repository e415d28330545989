-- In: desks' actions. Out: that buyers were asked for a review, as exports tell.
create table core.review_request (
    account text not null,
    order_id text not null,
    requested_at timestamptz not null,
    desk text not null,
    actor text,
    primary key (account, order_id, requested_at, desk)
);
comment on table core.review_request is 'Append-only: when the buyer of an order was asked for a review, by Amazon''s '
'button or a desk''s automation. Of exports of desks: Amazon itself keeps no history of it. No buyer''s personal data.';
comment on column core.review_request.desk is 'Whose export tells it; a name of desk_files.yaml.';
comment on column core.review_request.actor is 'Who asked; null: the export names nobody, as of an automation.';

comment on column raw.desk_action.kind is 'Kind of ticket event, or review_request; null: the mapping does not explain '
'the row.';
comment on column raw.desk_action.ticket_key is 'The ticket, found when the row was published; null: none, and trouble '
'says why. A review_request has none: it is about its order.';
comment on table pii.desk_action is 'The row as received, and the words in it. Of a review_request until it is '
'published.';
