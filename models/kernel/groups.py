"""Who sees what reminders know, as ``groups`` of fields."""

#: Who keeps the books, and who may look into them.
ACCOUNTING = 'account.group_account_invoice,account.group_account_readonly'
