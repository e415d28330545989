-- In: ops.compliance_made. Out: the first day (UTC) that mart.compliance does not know; no row: none is known.
select made_until from ops.compliance_made
