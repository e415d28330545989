-- In: ops.compliance_made. Out: the transaction that wrote compliance last, another one whenever it may have changed;
-- no row: none did.
select xmin::text as version from ops.compliance_made
