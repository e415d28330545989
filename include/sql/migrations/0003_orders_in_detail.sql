-- In: the revision before. Out: Orders with packages, taxes and promotions; rows of the all-orders report.
select 1;
