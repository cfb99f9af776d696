"""Who sees what reminders know, as ``groups`` of fields."""

#: Who keeps the books, and who may look into them.
ACCOUNTING = 'account.group_account_invoice,account.group_account_readonly'
#: Everybody who works here; no debtor, who can sign in as well.
COLLEAGUES = 'base.group_user'
#: Who alone decides how a debtor is treated.
BOOKKEEPERS = 'account.group_account_invoice'
