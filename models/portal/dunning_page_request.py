"""What a debtor sent from his page: a dispute, “I have paid”, other contact data, a proposal to pay in instalments.

Everything he sends is kept as one row, which is also what makes a double click harmless and stops a flood. What follows
from it is in ``dunning_page_inbox.py`` and ``dunning_page_proposal.py``.
"""

from odoo import fields, models


class DunningPageRequest(models.Model):
    """One thing a debtor sent from his page; a record of what he said, never changed."""

    _name = 'dunning.page.request'
    _description = "Request of a Debtor"
    _order = 'id desc'

    page_id = fields.Many2one(
        comodel_name='dunning.page', required=True, index=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='page_id.company_id', store=True, index=True, precompute=True)
    partner_id = fields.Many2one(
        related='page_id.partner_id', string="Debtor", store=True, index=True, precompute=True)
    kind = fields.Selection(
        selection=[
            ('dispute', "Does not agree"),
            ('paid', "Says it was paid"),
            ('contact', "Other contact data"),
            ('arrangement', "Wants to pay in instalments"),
        ],
        required=True, readonly=True)
    key = fields.Char(
        required=True, readonly=True, help="What makes it the same as another one: that is answered, not done again.")
    date = fields.Date(required=True, readonly=True)
    text = fields.Text(readonly=True, help="What was filled in, in words.")
    move_id = fields.Many2one(
        comodel_name='account.move', string="Invoice", readonly=True, index='btree_not_null', ondelete='set null')
    hold_id = fields.Many2one(
        comodel_name='dunning.hold', readonly=True, index='btree_not_null', ondelete='set null')
    arrangement_id = fields.Many2one(
        comodel_name='dunning.arrangement', readonly=True, index='btree_not_null', ondelete='set null')

    _page_key_uniq = models.UniqueIndex("(page_id, key)", "This was sent already.")
    _page_date_idx = models.Index("(page_id, date)")
