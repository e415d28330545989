-- In: the revision before. Out: Seller feedback.
select 1;
