-- In: batch_period. Out: mart.compliance holds nothing about these days and months.
delete from mart.compliance as made
using batch_period
where
    made.account = batch_period.account
    and made.period = batch_period.period
    and made.starts_on = batch_period.starts_on
