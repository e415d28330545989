-- In: landed orders of the API and lines of the all-orders report, of the batches, without those in quarantine;
-- countries by marketplace id and by domain; countries whose prices are without tax.
-- Out: core.amazon_order: the newest version of each order stays, and of equally new ones the API's; a placeholder
-- gives way to the order.
insert into core.amazon_order as known (
    account,
    order_id,
    region,
    marketplace,
    sales_channel,
    status,
    fulfilled_by,
    service_level,
    ship_country,
    is_business,
    ordered_at,
    last_updated_at,
    total_amount,
    currency,
    is_from_api,
    batch_id
)
with aside as (
    select * from ops.quarantine
    where batch_id = any(%(batch_ids)s::bigint[])
),

received as (
    select
        *,
        %(marketplaces)s::jsonb ->> (payload #>> '{salesChannel, marketplaceId}') as marketplace
    from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

of_api as (
    select
        received.account,
        received.order_id,
        received.region,
        received.marketplace,
        coalesce(
            received.payload #>> '{salesChannel, marketplaceName}', received.payload #>> '{salesChannel, channelName}'
        ) as sales_channel,
        received.payload #>> '{fulfillment, fulfillmentStatus}' as status,
        received.payload #>> '{fulfillment, fulfilledBy}' as fulfilled_by,
        received.payload #>> '{fulfillment, fulfillmentServiceLevel}' as service_level,
        received.payload ->> 'shipCountry' as ship_country,
        coalesce(received.payload -> 'programs' @> '"AMAZON_BUSINESS"', false) as is_business,
        ops.instant(received.payload ->> 'createdTime') as ordered_at,
        ops.instant(received.payload ->> 'lastUpdatedTime') as last_updated_at,
        ops.amount(received.payload #>> '{proceeds, grandTotal, amount}') as total_amount,
        received.payload #>> '{proceeds, grandTotal, currencyCode}' as currency,
        true as is_from_api,
        received.batch_id
    from received
    left join aside
        on received.batch_id = aside.batch_id and received.order_id = aside.row_key
    where aside.batch_id is null
),

priced as (
    select
        *,
        %(domains)s::jsonb ->> lower(sales_channel) as marketplace,
        price - coalesce(discount, 0) as price_paid
    from raw.order_report_line
    where batch_id = any(%(batch_ids)s::bigint[])
),

lines as (
    select
        *,
        price_paid + case when marketplace = any(%(without_tax)s::text[]) then coalesce(tax, 0) else 0 end as amount
    from priced
),

-- The columns of an order are the same in all its lines.
of_report as (
    select
        lines.account,
        lines.order_id,
        min(lines.region) as region,
        min(lines.marketplace) as marketplace,
        min(lines.sales_channel) as sales_channel,
        min(ops.constant_name(lines.status)) as status,
        min(ops.constant_name(lines.fulfillment_channel)) as fulfilled_by,
        min(ops.constant_name(lines.service_level)) as service_level,
        min(lines.ship_country) as ship_country,
        bool_or(lower(lines.is_business) = 'true') as is_business,
        min(lines.ordered_at) as ordered_at,
        max(lines.last_updated_at) as last_updated_at,
        sum(lines.amount) as total_amount,
        min(lines.currency) as currency,
        false as is_from_api,
        lines.batch_id
    from lines
    left join aside on lines.batch_id = aside.batch_id and aside.row_key = 'line ' || lines.line_number
    where aside.batch_id is null
    group by lines.account, lines.order_id, lines.batch_id
),

versions as (
    select * from of_api
    union all
    select * from of_report
)

select distinct on (account, order_id) *
from versions
order by account asc, order_id asc, last_updated_at desc, is_from_api desc, batch_id desc
on conflict (account, order_id) do update
    set
        region = excluded.region,
        marketplace = excluded.marketplace,
        sales_channel = excluded.sales_channel,
        status = excluded.status,
        fulfilled_by = excluded.fulfilled_by,
        service_level = excluded.service_level,
        ship_country = coalesce(excluded.ship_country, known.ship_country),
        is_business = coalesce(excluded.is_business, known.is_business),
        ordered_at = excluded.ordered_at,
        last_updated_at = excluded.last_updated_at,
        total_amount = excluded.total_amount,
        currency = excluded.currency,
        is_placeholder = false,
        is_from_api = excluded.is_from_api,
        batch_id = excluded.batch_id
    where
    known.is_placeholder
    or (known.last_updated_at, known.is_from_api) <= (excluded.last_updated_at, excluded.is_from_api)
