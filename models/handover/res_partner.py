from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_wki_number = fields.Char(
        string="Wki Register Number", tracking=True, prefetch='dunning', groups='base.group_user',
        help="Of who collects for others: its number in the register of the Wki, as you looked it up at Justis. "
             "Without it no interest and costs are handed over of a natural person in the Netherlands (article 18 "
             "Wki).")
    dunning_wki_exempt = fields.Boolean(
        string="Bailiff or Lawyer", tracking=True, prefetch='dunning', groups='base.group_user',
        help="Bailiffs and lawyers are not registered: others watch over them (article 4 paragraph 2 Wki).")
