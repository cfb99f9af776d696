from odoo import fields, models


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_phone_wrong_on = fields.Date(
        string="Wrong Number Since", readonly=True, copy=False,
        prefetch='dunning',
        help="Who answered was not this debtor, so the number is not called. Cleared when the number changes.")

    def write(self, vals):
        if vals.get('dunning_phone_wrong_on') or 'phone' not in vals:
            return super().write(vals)
        before = {partner: partner._get_dunning_number() for partner in self if partner.dunning_phone_wrong_on}
        result = super().write(vals)
        changed = self.browse([partner.id for partner, number in before.items() if (
            partner._get_dunning_number() != number)])
        if changed:
            super(ResPartner, changed).write({'dunning_phone_wrong_on': False})
        return result

    def _get_dunning_number(self):
        """Return the telephone number in E.164; as it was typed where that is not possible; or an empty string."""
        self.ensure_one()
        return (self.phone and (self._phone_format(fname='phone') or self.phone.strip())) or ''

    def _get_dunning_phone_contact(self, preferred=None):
        """Return the contact of a debtor to call: the one for reminders, else the debtor, else any other.

        Only one with a number that is not wrong; empty when there is none.

        :param preferred: contact to take when it can be called
        """
        self.ensure_one()
        debtor = self.commercial_partner_id
        family = debtor | debtor.search([('commercial_partner_id', '=', debtor.id)])
        ranked = family.sorted(lambda person: (
            person.type != 'dunning', person != debtor, person.type != 'invoice', person.id))
        for person in (preferred or self.browse()) | ranked:
            if person.phone and person.phone.strip() and not person.dunning_phone_wrong_on:
                return person
        return self.browse()
