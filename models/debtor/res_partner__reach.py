from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    type = fields.Selection(
        selection_add=[('director', "Director")],
        ondelete={'director': lambda partners: partners.write({'type': 'contact'})},
    )
    dunning_post_returned_on = fields.Date(
        string="Letter Came Back On", readonly=True, copy=False,
        prefetch='dunning',
        help="A letter to this address came back, so nothing is posted to it. Cleared when the address changes.")
    _dunning_director_idx = models.Index("(commercial_partner_id, id) WHERE type = 'director' AND active")

    def write(self, vals):
        # EXTENDS: another address gets another chance.
        names = ('street', 'zip', 'city', 'country_id')
        if 'dunning_post_returned_on' in vals or not vals.keys() & set(names):
            return super().write(vals)
        before = {
            partner: [partner[name] for name in names] for partner in self if partner.dunning_post_returned_on}
        result = super().write(vals)
        changed = self.browse([
            partner.id for partner, values in before.items() if [partner[name] for name in names] != values])
        if changed:
            super(ResPartner, changed).write({'dunning_post_returned_on': False})
        return result

    def _has_dunning_address(self):
        """Return whether a letter can be posted to this contact."""
        return bool(
            (self.street or '').strip() and (self.city or '').strip() and not self.dunning_post_returned_on)

    def _has_dunning_phone(self):
        """Return whether this contact can be called."""
        return bool((self.phone or '').strip() and not self.dunning_phone_wrong_on)
