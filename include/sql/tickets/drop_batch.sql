-- In: the temporary tables of the fold. Out: none of them, so that one transaction can fold twice.
drop table
batch_claim,
batch_merged,
batch_key,
batch_ticket,
batch_event,
batch_transition,
batch_type_change,
batch_order_change
