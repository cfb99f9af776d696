from odoo import fields, models

from ..kernel.groups import ACCOUNTING


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_wki_number = fields.Char(
        string="Wki Register Number", tracking=True, copy=False, prefetch='dunning', groups=ACCOUNTING,
        help="Of who collects for others: its number in the register of the Wki, as you looked it up at Justis. "
             "Without it no interest and costs are handed over of a natural person in the Netherlands (article 18 "
             "Wki).")
    dunning_wki_exempt = fields.Boolean(
        string="Bailiff or Lawyer", tracking=True, copy=False, prefetch='dunning', groups=ACCOUNTING,
        help="Bailiffs and lawyers are not registered: others watch over them (article 4 paragraph 2 Wki).")
