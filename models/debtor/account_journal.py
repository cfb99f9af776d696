from odoo import fields, models

from ..kernel.groups import ACCOUNTING


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    dunning_ignore_age = fields.Boolean(
        string="No Receipts of Debtors",
        help="Debtors never pay on this account, so reminders do not wait for its bank statements.",
        prefetch='dunning',
        groups=ACCOUNTING,
    )
