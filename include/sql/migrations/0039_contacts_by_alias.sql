-- In: the contacts of 0033. Out: those without an alias are in no index of aliases: removing a contact writes one entry
-- less.
drop index pii.order_contact_alias;
create index order_contact_alias on pii.order_contact (account, buyer_alias) where buyer_alias is not null;
