-- In: nothing; mart.contact_response. Out: our share of buyers answered within 24 hours beside Amazon's, of the newest
-- figures that Amazon told.
select
    account,
    region,
    marketplace,
    period_days,
    measured_at,
    share_under_24h,
    amazon_share_under_24h,
    difference
from mart.contact_response
order by account asc, region asc, marketplace asc nulls first, period_days asc
