-- In: the revision before. Out: Orders with packages, taxes and promotions; rows of the all-orders report.

create function ops.constant_name(value text) returns text
language sql immutable parallel safe
return upper(regexp_replace(split_part(value, ' - ', 1), '([a-z])([A-Z])', '\1_\2', 'g'));
comment on function ops.constant_name is 'A word of a report as the Orders API writes it: PartiallyShipped becomes '
'PARTIALLY_SHIPPED; Easy Ship''s "Shipped - Delivered to Buyer" becomes SHIPPED.';

create function ops.proceeds(proceeds jsonb, kind text) returns numeric
language sql immutable parallel safe
return ops.amount(
    jsonb_path_query_first(
        proceeds,
        'lax $.breakdowns[*] ? (@.type == $kind).subtotal.amount',
        jsonb_build_object('kind', kind)
    ) #>> '{}'
);
comment on function ops.proceeds is 'Amount of one kind, such as SHIPPING or TAX, among an item''s proceeds; null if '
'there is none.';

---------- raw: lines of the all-orders report

create table raw.order_report_row (
    batch_id bigint not null,
    account text not null,
    region text not null,
    line_number integer not null,
    order_id text,
    ordered_at timestamptz,
    last_updated_at timestamptz,
    status text,
    fulfillment_channel text,
    sales_channel text,
    service_level text,
    ship_country text,
    is_business text,
    title text,
    sku text,
    asin text,
    quantity integer,
    currency text,
    item_price numeric,
    item_tax numeric,
    shipping_price numeric,
    shipping_tax numeric,
    gift_wrap_price numeric,
    gift_wrap_tax numeric,
    item_discount numeric,
    shipping_discount numeric,
    promotion_ids text
);
-- Lines are only ever read by batch, and land in its order: a BRIN index costs next to nothing while copying.
create index order_report_row_batch on raw.order_report_row using brin (batch_id) with (pages_per_range = 16);
comment on table raw.order_report_row is 'Lines of GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL, one an order '
'item; not its url, city, state and postal code.';

create view raw.order_report_line as
select
    batch_id,
    account,
    region,
    line_number,
    order_id,
    ordered_at,
    last_updated_at,
    status,
    fulfillment_channel,
    sales_channel,
    service_level,
    ship_country,
    is_business,
    title,
    sku,
    asin,
    quantity,
    currency,
    item_price,
    shipping_price,
    gift_wrap_price,
    promotion_ids,
    item_price + coalesce(shipping_price, 0) + coalesce(gift_wrap_price, 0) as price,
    case
        when coalesce(item_tax, shipping_tax, gift_wrap_tax) is not null
            then coalesce(item_tax, 0) + coalesce(shipping_tax, 0) + coalesce(gift_wrap_tax, 0)
    end as tax,
    case
        when coalesce(item_discount, shipping_discount) is not null
            then abs(coalesce(item_discount, 0)) + abs(coalesce(shipping_discount, 0))
    end as discount
from raw.order_report_row;
comment on view raw.order_report_line is 'The lines with price, tax and discount of item, shipping and gift wrap '
'together. Some sites write discounts with a minus sign, some without.';

---------- core: what Amazon tells of an order

alter table core.amazon_order
add column sales_channel text,
add column service_level text,
add column is_business boolean,
add column is_prime boolean,
add column is_from_api boolean not null default true,
add column api_updated_at timestamptz,
add column api_batch_id bigint;
update core.amazon_order
set
    api_updated_at = last_updated_at,
    api_batch_id = batch_id
where not is_placeholder;
comment on table core.amazon_order is 'The newest version of each order, from the Orders API or the all-orders report. '
'ship_by_at, deliver_by_at, shipped_at and is_prime are told by the API only: they are of its newest version, which '
'may be older than the rest.';
comment on column core.amazon_order.marketplace is 'Country of the site; null where sales_channel is none of ours.';
comment on column core.amazon_order.total_amount is 'What the buyer pays for all items, tax included.';
comment on column core.amazon_order.is_from_api is 'Whether the newest version came from the API; of two equally new '
'versions the API''s stays.';
comment on column core.amazon_order.api_updated_at is 'Last update of the newest version from the API; null: none yet.';
comment on column core.amazon_order.api_batch_id is 'Batch of the newest version from the API.';

create table core.amazon_order_item_progress (
    account text not null,
    order_id text not null,
    order_item_id text not null,
    sku text,
    asin text,
    quantity integer not null,
    quantity_shipped integer,
    condition text,
    cancel_requested_by text,
    cancel_requested_because text,
    cancelled_by text,
    cancelled_because text,
    primary key (account, order_id, order_item_id)
);
comment on table core.amazon_order_item_progress is 'How far each item has come: shipped, cancelled. Of the newest '
'version from the API, as reports do not tell.';
insert into core.amazon_order_item_progress (
    account, order_id, order_item_id, sku, asin, quantity, quantity_shipped
)
select
    account,
    order_id,
    order_item_id,
    sku,
    asin,
    quantity,
    quantity_shipped
from core.amazon_order_item;

alter table core.amazon_order_item drop constraint amazon_order_item_pkey;
alter table core.amazon_order_item
drop column order_item_id,
drop column quantity_shipped,
add column item_price numeric(18, 4),
add column shipping_price numeric(18, 4),
add column gift_wrap_price numeric(18, 4),
add column tax numeric(18, 4),
add column discount numeric(18, 4),
add column promotion_ids text[] not null default '{}',
add primary key (account, order_id, position);
comment on table core.amazon_order_item is 'Items of the version in core.amazon_order, in its order, positions from 1.';
comment on column core.amazon_order_item.amount is 'What the buyer pays for all pieces, with shipping and tax, less '
'discounts.';
comment on column core.amazon_order_item.tax is 'Of price, shipping and gift wrap together; part of the prices, except '
'where the site shows prices without tax.';

create table core.amazon_order_package (
    account text not null,
    order_id text not null,
    position integer not null,
    package_id text,
    status text,
    detailed_status text,
    carrier text,
    service text,
    tracking_number text,
    shipped_at timestamptz,
    primary key (account, order_id, position)
);
comment on table core.amazon_order_package is 'Packages of the newest version from the API, positions from 1.';

---------- orders to ship

create function core.unshipped_order(as_of timestamptz) returns table (
    account text,
    order_id text,
    marketplace text,
    status text,
    ordered_at timestamptz,
    ship_by_at timestamptz,
    is_told_by_api boolean,
    pieces bigint,
    pieces_left bigint
)
language sql stable parallel safe
as $$
    select
        placed.account,
        placed.order_id,
        placed.marketplace,
        state.status,
        placed.ordered_at,
        state.ship_by_at,
        placed.api_updated_at is not null as is_told_by_api,
        progress.pieces,
        progress.pieces_left
    from core.amazon_order as placed
    -- When the last package left; null while pieces are left, or as long as only a report has told of it.
    cross join lateral (
        select
            case
                when placed.status = 'SHIPPED' and not exists (
                    select 1 from core.amazon_order_item_progress as item
                    where
                        item.account = placed.account
                        and item.order_id = placed.order_id
                        and item.quantity_shipped < item.quantity
                        and item.cancelled_by is null
                ) then greatest(placed.shipped_at, max(package.shipped_at))
            end as left_at
        from core.amazon_order_package as package
        where package.account = placed.account and package.order_id = placed.order_id
    ) as departure
    -- Of an order that has changed since: what the API had told until then, else what it told first.
    left join lateral (
        select
            received.payload,
            received.payload #>> '{fulfillment, fulfillmentStatus}' as status,
            told.at as told_at
        from raw.order_received as received
        inner join ops.batch as batch on received.batch_id = batch.batch_id
        cross join lateral ops.instant(received.payload ->> 'lastUpdatedTime') as told (at)
        where
            received.account = placed.account
            and received.order_id = placed.order_id
            and placed.last_updated_at > as_of
            and batch.published_at is not null
            and not exists (
                select 1 from ops.quarantine as aside
                where aside.batch_id = received.batch_id and aside.row_key = received.order_id
            )
        order by told.at <= as_of desc, greatest(told.at - as_of, as_of - told.at) asc, received.batch_id desc
        limit 1
    ) as version on true
    cross join lateral (
        select
            case
                when version.told_at <= as_of or version.status <> 'SHIPPED' then version.status
                when departure.left_at > as_of and placed.shipped_at <= as_of then 'PARTIALLY_SHIPPED'
                when departure.left_at > as_of then 'UNSHIPPED'
                else placed.status
            end as status,
            case
                when version.payload is null then placed.ship_by_at
                else ops.instant(version.payload #>> '{fulfillment, shipByWindow, latestDateTime}')
            end as ship_by_at
    ) as state
    cross join lateral (
        select
            sum(item.quantity) as pieces,
            sum(item.quantity - coalesce(item.quantity_shipped, 0)) as pieces_left
        from (
            select kept.quantity, kept.quantity_shipped, kept.cancelled_by
            from core.amazon_order_item_progress as kept
            where
                kept.account = placed.account
                and kept.order_id = placed.order_id
                and version.payload is null
            union all
            select
                ops.whole(told.item ->> 'quantityOrdered'),
                ops.whole(told.item #>> '{fulfillment, quantityFulfilled}'),
                told.item #>> '{cancellation, cancellationExecution, cancelledBy}'
            from jsonb_path_query(version.payload, 'lax $.orderItems[*]') as told (item)
        ) as item
        where item.cancelled_by is null
    ) as progress
    where
        placed.fulfilled_by = 'MERCHANT'
        and placed.ordered_at <= as_of
        and (placed.status in ('UNSHIPPED', 'PARTIALLY_SHIPPED') or placed.last_updated_at > as_of)
        and state.status in ('UNSHIPPED', 'PARTIALLY_SHIPPED')
        and (departure.left_at is null or departure.left_at > as_of)
$$;
comment on function core.unshipped_order is 'Orders of which the seller had to ship something as of an instant, '
'whatever became of them since: shipped (by the time of the last package, not by when it was told), cancelled, or '
'promised for another time. pieces and pieces_left are without cancelled items.';

alter table ops.alert rename column ticket_id to subject;
comment on column ops.alert.subject is 'What the alert is about: a ticket, or an order to ship.';

---------- orders that mail names and nobody has seen

create table ops.order_lookup (
    account text not null,
    order_id text not null,
    attempts integer not null,
    last_at timestamptz not null,
    next_at timestamptz,
    outcome text not null check (outcome in ('found', 'not_found', 'refused', 'no_answer')),
    primary key (account, order_id)
);
comment on table ops.order_lookup is 'Attempts to fetch a placeholder''s order from Amazon.';
comment on column ops.order_lookup.next_at is 'Not before; null: nobody asks again.';
comment on column ops.order_lookup.outcome is 'Of the last attempt. found: it was landed, and may still be refused by '
'the checks.';

create index amazon_order_placeholder on core.amazon_order (account, region) where is_placeholder;
create index amazon_order_updated on core.amazon_order (account, region, last_updated_at);
